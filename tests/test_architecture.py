"""The import rule of ARCHITECTURE.md, and that importing does nothing."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted([*(ROOT / "lab").rglob("*.py"), *(ROOT / "scenarios").rglob("*.py")])

OPENS_SOMETHING = frozenset((
    "_thread", "asyncio", "builtins", "concurrent", "ctypes", "fcntl", "fileinput", "ftplib",
    "glob", "http", "io", "logging", "mmap", "multiprocessing", "os", "pathlib", "pickle",
    "pty", "queue", "random", "sched", "secrets", "select", "selectors", "shelve", "shutil",
    "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile",
    "termios", "threading", "time", "urllib", "uuid", "webbrowser",
))  # fmt: skip
"""Modules of the standard library that have no part in an analysis."""

ONLY_IN = {
    "scapy": {"lab.analysis.packets.headers", "lab.analysis.packets.scapy_import"},
    "pyroute2": {"lab.kernel.network.netlink"},
    "netifaces": {"lab.kernel.network.witness"},
    "rich": {"lab.report"},
    "sys": {"lab.analysis.packets.scapy_import"},
    "importlib": {"lab.analysis.packets.scapy_import"},
}
"""Who may import it: these modules, and those of these packages. sys and importlib are
asked about for the analysis alone."""

CHECK = re.compile(r"lab\.analysis\.\w+_claims\.[a-z]\w*")
"""A check, as a scenario imports it."""

SCAPY_DEMO = ("scenarios.demos.raw_by_hand", "scapy")
"""The one demo that is about what scapy does in user space."""

FORBIDDEN = {
    "lab.kernel": {
        "lab.analysis",
        "lab.report",
        "lab.run",
        "lab.cli.main",
        "lab.recording.storage",
    },
    "lab.report": {"lab.kernel", "lab.run", "lab.cli.main"},
    "lab.analysis": {"lab.kernel", "lab.report", "lab.run", "lab.cli.main"},
}
"""What a package never imports, not even for its types."""

ONLY_BY = {
    "lab.cli.main": {"lab.__main__"},
    "lab.run": {"lab.cli.main"},
    "lab.kernel": {"lab.kernel", "lab.run", "lab.cli.main"},
    "lab.report": {"lab.report", "lab.run", "lab.results", "lab.cli.main", "lab.report.ci.publish"},
    "lab.report.ci.publish": {"lab.cli.main"},
    "scenarios": {"scenarios"},
    "lab.api": {"scenarios"},
}
"""The only importers there may be of a module or package."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def imports_of(text: str, package: str = "") -> Iterator[str]:
    """Every module that a text imports: anywhere in it, and by name too.

    `from a import b` may be the module a.b or a name in a: it counts as "a.b".
    """
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, names, level):
                above = package.split(".")[: 1 - level or None] if level else []
                base = ".".join([*above, *([module] if module else [])])
                yield from (f"{base}.{alias.name}" for alias in names)
            case ast.Call(ast.Name("import_module" | "__import__"), [ast.Constant(str(name)), *_]):
                yield name
            case ast.Call(ast.Attribute(_, "import_module"), [ast.Constant(str(name)), *_]):
                yield name


def faults(module: str, text: str) -> list[str]:
    """What a module's imports break of the rule."""
    package = module if module in PACKAGES else module.rpartition(".")[0]
    return [
        f"{module} imports {imported}"
        for imported in imports_of(text, package)
        if not is_allowed(module, imported)
    ]


def is_allowed(module: str, imported: str) -> bool:
    top = imported.partition(".")[0]
    if is_in(module, "scenarios.demos"):
        return top in sys.stdlib_module_names or (module, top) == SCAPY_DEMO
    if is_in(module, "scenarios"):
        return is_in(imported, "lab.api") or CHECK.fullmatch(imported) is not None
    if top not in sys.stdlib_module_names | {"lab", "scenarios"} and top not in ONLY_IN:
        return False
    if is_in(module, "lab.analysis") and not is_pure(imported):
        return False
    for user, never in FORBIDDEN.items():
        if is_in(module, user) and any(is_in(imported, each) for each in never):
            return False
    asked = top in ONLY_IN and (top not in sys.stdlib_module_names or is_in(module, "lab.analysis"))
    if asked and not any(is_in(module, user) for user in ONLY_IN[top]):
        return False
    return all(
        any(is_in(module, user) for user in users)
        for what, users in ONLY_BY.items()
        if is_in(imported, what)
    )


def is_pure(imported: str) -> bool:
    top = imported.partition(".")[0]
    if top == "lab":
        return any(
            is_in(imported, each)
            for each in (
                "lab.analysis",
                "lab.syscalls.descriptors",
                "lab.syscalls.memory",
                "lab.syscalls.table",
                "lab.records",
                "lab.errors",
                "lab.model.statements",
                "lab.model.family",
            )
        )
    return top not in OPENS_SOMETHING and top != "scenarios"


PACKAGES = {name_of(path) for path in FILES if path.stem == "__init__"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_keeps_the_import_rule(path: Path) -> None:
    assert faults(name_of(path), path.read_text("utf-8")) == []


def called_in(text: str) -> set[str]:
    calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return {function.id for function in calls if isinstance(function, ast.Name)}


IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "exit", "breakpoint"}


@pytest.mark.parametrize(
    "path", [path for path in FILES if is_in(name_of(path), "lab.analysis")], ids=name_of
)
def test_the_analysis_opens_and_prints_nothing_without_an_import_either(path: Path) -> None:
    assert called_in(path.read_text("utf-8")) & IMPURE_CALLS == set()
    assert called_in("def f():\n    open('x')") == {"open"}


def test_every_part_of_the_project_is_looked_at() -> None:
    names = {name_of(path) for path in FILES}
    assert {
        "lab.analysis.tcp.conversation",
        "lab.kernel.capture.capture",
        "scenarios.tcp",
        "lab",
        "lab.cli.main",
    } <= names
    assert "scenarios.demos.inet_stream_client" in names


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("lab.analysis.tcp.conversation", "import socket"),
        ("lab.analysis.tcp.conversation", "import os.path"),
        ("lab.analysis.tcp.conversation", "from time import time_ns"),
        ("lab.analysis.tcp.conversation", "import importlib"),
        ("lab.analysis.tcp.conversation", "def f():\n    import sys"),
        ("lab.analysis.tcp.conversation", "from scapy.layers.inet import IP"),
        ("lab.analysis.tcp.conversation", "from lab.kernel import capture"),
        ("lab.analysis.tcp.conversation", "from lab import run"),
        ("lab.analysis.tcp.conversation", "import lab.recording.storage"),
        ("lab.analysis.tcp.conversation", "import scenarios.tcp"),
        ("lab.analysis.tcp.conversation", "from ..kernel import capture"),
        ("lab.analysis.tcp.conversation", "from .. import recording"),
        ("lab.analysis.tcp.conversation", "if TYPE_CHECKING:\n    from lab.report.terminal.style import Style"),  # noqa: E501
        ("lab.analysis.tcp.conversation", "__import__('socket')"),
        ("lab.analysis.packets.scapy_import", "import_module('socket')"),
        ("lab.analysis.packets.scapy_import", "importlib.import_module('lab.kernel.capture.capture')"),  # noqa: E501
        ("lab.analysis", "from ..kernel import capture"),
        ("lab.kernel.capture.capture", "from lab.analysis.packets.packet import Packet"),
        ("lab.kernel.capture.capture", "from lab.report import style"),
        ("lab.kernel.capture.capture", "import lab.run"),
        ("lab.kernel.capture.capture", "import pyroute2"),
        ("lab.kernel.network.netlink", "import netifaces"),
        ("lab.kernel.network.witness", "import scapy.all"),
        ("lab.kernel.network.witness", "from rich.text import Text"),
        ("lab.report.terminal.style", "if TYPE_CHECKING:\n    from lab.kernel.plan import Plan"),
        ("lab.report.terminal.style", "import numpy"),
        ("lab.recording.storage", "import lab.cli.main"),
        ("lab.recording.storage", "import lab.kernel.capture.capture"),
        ("lab.recording.storage", "from lab import report"),
        ("lab.model.topology", "import lab.run"),
        ("lab.run", "import scenarios.tcp"),
        ("lab.cli.main", "import rich"),
        ("lab.model.scenario", "import lab.api"),
        ("lab", "import lab.cli.main"),
        ("scenarios.tcp", "from lab.model.claim import Claim"),
        ("scenarios.tcp", "import lab"),
        ("scenarios.tcp", "import os"),
        ("scenarios.tcp", "from scenarios import unix"),
        ("scenarios.demos.inet_stream_client", "import lab.api"),
        ("scenarios.demos.inet_stream_client", "import scapy"),
        ("scenarios.demos.inet_stream_client", "from scenarios import tcp"),
    ],
)  # fmt: skip
def test_a_forbidden_import_is_found(module: str, text: str) -> None:
    assert len(faults(module, text)) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            "lab.analysis.tcp.conversation",
            "from __future__ import annotations\nimport enum, struct",
        ),
        (
            "lab.analysis.tcp.conversation",
            "from lab.records import Frame\nfrom lab.analysis import headers",
        ),
        ("lab.analysis.tcp.conversation", "from . import headers\nfrom .packet import Tcp"),
        ("lab.analysis.packets.scapy_import", "import sys\nimport_module('scapy.config')"),
        ("lab.kernel.network.netlink", "def f():\n    from pyroute2 import IPRoute"),
        ("lab.kernel.capture.capture", "import os, socket\nfrom lab.records import Frame"),
        (
            "lab.report.terminal.style",
            "from rich.text import Text\nfrom lab.analysis.tcp.conversation import Note",
        ),
        ("lab.cli.main", "from lab.kernel.preflight import examine\nimport lab.run"),
        ("scenarios.tcp", "from lab.api import Claim"),
        ("scenarios.demos.inet_stream_client", "import socket"),
    ],
)
def test_an_allowed_import_is_no_fault(module: str, text: str) -> None:
    assert faults(module, text) == []


WATCHED = """
import json, os, sys, threading
sys.dont_write_bytecode = True
def descriptors():
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            pass  # the listing's own
    return found
before = descriptors()
seen = []
def hook(name, arguments):
    if name.startswith("socket.") or name in ("os.mkdir", "subprocess.Popen", "os.fork"):
        seen.append([name, repr(arguments)])
    elif name == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append([name, str(arguments[0])])
sys.addaudithook(hook)
for name in sys.argv[1:]:
    __import__(name)
opened = [path for number, path in descriptors().items() if before.get(number) != path]
print(json.dumps({
    "seen": seen,
    # ctypes' libffi, from 3.5 on, keeps its own library open, for its trampolines.
    "descriptors": [path for path in opened if not path.rpartition("/")[2].startswith("libffi.")],
    "threads": threading.active_count(),
    "packages": sorted({"rich", "scapy", "pyroute2", "click", "netifaces"} & set(sys.modules)),
}))
"""


def import_watched(home: Path, *modules: str) -> dict[str, Any]:
    """What importing the modules does, in an interpreter of its own with an empty home."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *modules],
        env={"HOME": str(home), "PYTHONPATH": ":".join([str(ROOT), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        cwd=home,
        check=True,
    )
    assert done.stderr == ""
    assert list(home.iterdir()) == []
    told: dict[str, Any] = json.loads(done.stdout)
    return told


NOTHING = {"seen": [], "descriptors": [], "threads": 1}


def test_the_command_line_imports_no_other_package(tmp_path: Path) -> None:
    assert import_watched(tmp_path, "lab.cli.main") == NOTHING | {"packages": []}


def test_a_scenario_can_be_run_before_anything_slow_is_imported(tmp_path: Path) -> None:
    told = import_watched(tmp_path, "lab.run", "scenarios.tcp", "lab.kernel.plan")
    assert told == NOTHING | {"packages": []}


def test_importing_the_dissection_opens_and_writes_nothing(tmp_path: Path) -> None:
    assert import_watched(tmp_path, "lab.analysis.packets.dissect") == NOTHING | {
        "packages": ["scapy"]
    }


def test_importing_everything_opens_and_writes_nothing(tmp_path: Path) -> None:
    modules = [
        name
        for name in map(name_of, FILES)
        if (is_in(name, "lab") and not name.endswith("__main__")) or name == "scenarios.tcp"
    ]
    told = import_watched(tmp_path, *modules)
    assert "click" not in told.pop("packages")
    assert told == NOTHING
