"""The house keeps its own rules: the table of imports in ARCHITECTURE.md, and its sizes."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from house import FILES, ROOT, ImportTable, imports_of, module_of, nodes_of, package_of, room_of

TABLE = ImportTable((ROOT / "ARCHITECTURE.md").read_text("utf-8"))
MOST_FILES = 15
"""In a folder: more are not taken in at a glance."""

PURE = ("analysis", "checks", "grade", "ladder", "scene")
"""Rooms, and those beneath them, that open nothing: bytes and values in, values out."""

OPENS_SOMETHING = frozenset((
    "_thread", "asyncio", "builtins", "concurrent", "ctypes", "fcntl", "fileinput", "ftplib",
    "glob", "http", "io", "logging", "mmap", "multiprocessing", "os", "pathlib", "pickle",
    "pty", "queue", "random", "sched", "secrets", "select", "selectors", "shelve", "shutil",
    "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile",
    "termios", "threading", "time", "urllib", "uuid", "webbrowser",
))  # fmt: skip
"""Modules of the standard library that have no part in a pure room."""

IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "exit", "breakpoint"})
IMPORT_MACHINERY = frozenset({"sys", "importlib"})
ONE_FILE_OF = {
    "scapy": {"lab.analysis.packets.headers", "lab.analysis.packets.scapy_import"},
    "pyroute2": {"lab.kernel.network.netlink"},
    "netifaces": {"lab.kernel.network.witness"},
    "sys": {"lab.analysis.packets.scapy_import"},
    "importlib": {"lab.analysis.packets.scapy_import"},
}
"""The only files of their rooms that import it, so that none of its objects gets further."""

EVERYBODYS = "lab.frozen"
"""What every room may import: it is to them as the standard library's dataclasses are."""

SCAPY_DEMOS = ("scenarios.demos.raw_by_hand", "scenarios.demos.traceroute_scapy")
"""The one demo that is about what scapy does in user space."""


def is_pure(room: str) -> bool:
    return room.partition("/")[0] in PURE


def faults(module: str, text: str) -> list[str]:
    """What a module's imports break of the rules, a line each."""
    found = []
    for imported in imports_of(text, package_of(module)):
        if reason := why_not(module, imported):
            found.append(f"{module} imports {imported}: {reason}")
    return found


def why_not(module: str, imported: str) -> str:
    """Why the module may not import it, or "" if it may."""
    room, top = room_of(module), imported.partition(".")[0]
    if room == "scenarios/demos":
        is_allowed = top in sys.stdlib_module_names or (module in SCAPY_DEMOS and top == "scapy")
        return "" if is_allowed else "a demo needs the standard library alone"
    target = module_of(imported)
    if target is not None:
        allowed = target in ("lab", EVERYBODYS) or TABLE.allows(room, room_of(target))
        return "" if allowed else f"ARCHITECTURE.md does not list it in the row of `{room}`"
    if is_pure(room) and top in OPENS_SOMETHING:
        return "this room opens nothing"
    is_limited = top in ONE_FILE_OF and (top not in IMPORT_MACHINERY or is_pure(room))
    if is_limited and module not in ONE_FILE_OF[top]:
        return f"only {', '.join(sorted(ONE_FILE_OF[top]))} may"
    if top in sys.stdlib_module_names:
        is_allowed = room != "scenarios" or top == "__future__"
        return "" if is_allowed else "a scenario imports the lab alone"
    return "" if top in TABLE.packages[room] else f"no package of `{room}` in ARCHITECTURE.md"


@cache
def rooms_imported() -> dict[str, set[str]]:
    """By room, the other rooms that its modules import."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for module, path in FILES.items():
        room = room_of(module)
        found[room] |= set()
        for imported in imports_of(path.read_text("utf-8"), package_of(module)):
            target = module_of(imported)
            if target not in (None, "lab", "scenarios", EVERYBODYS) and room_of(target) != room:
                found[room].add(room_of(target))
    return dict(found)


def test_every_module_keeps_to_the_table() -> None:
    found = [line for name, path in FILES.items() for line in faults(name, path.read_text("utf-8"))]
    assert found == []


def test_the_table_has_a_row_for_every_room_and_no_other() -> None:
    own_rooms = {room for room in rooms_imported() if room != "scenarios/demos"} - {"lab"}
    assert set(TABLE.rooms) == own_rooms


def test_the_table_lists_nothing_that_is_not_used() -> None:
    unused = {room: TABLE.unused(room, rooms_imported()[room]) for room in TABLE.rooms}
    assert {room: named for room, named in unused.items() if named} == {}


def test_no_two_rooms_import_each_other_and_none_in_a_circle() -> None:
    try:
        tuple(TopologicalSorter(rooms_imported()).static_order())
    except CycleError as error:
        pytest.fail(f"these rooms import each other: {' → '.join(error.args[1])}")


def test_no_two_modules_import_each_other_not_even_for_types() -> None:
    imported = {
        module: {
            module_of(each) for each in imports_of(path.read_text("utf-8"), package_of(module))
        }
        for module, path in FILES.items()
    }
    both = [
        f"{one} and {other}"
        for one, others in imported.items()
        for other in others
        if other is not None and one < other and one in imported.get(other, ())
    ]
    assert both == []


@cache
def folders() -> dict[str, int]:
    """Every folder of code with the number of its files."""
    counts: defaultdict[str, int] = defaultdict(int)
    for top in ("lab", "tests"):
        for path in (ROOT / top).rglob("*.py"):
            counts[str(path.parent.relative_to(ROOT))] += 1
    return dict(counts)


def test_a_folder_has_at_most_fifteen_files() -> None:
    assert {folder: n for folder, n in folders().items() if n > MOST_FILES} == {}


def called_in(text: str) -> set[str]:
    calls = (node.func for node in nodes_of(text) if isinstance(node, ast.Call))
    return {function.id for function in calls if isinstance(function, ast.Name)}


def test_a_pure_room_opens_and_prints_nothing_without_an_import_either() -> None:
    pure = [name for name in FILES if is_pure(room_of(name))]
    assert pure
    called = {name: called_in(FILES[name].read_text("utf-8")) & IMPURE_CALLS for name in pure}
    assert {name: calls for name, calls in called.items() if calls} == {}


def test_a_call_is_found_wherever_it_stands() -> None:
    assert called_in("def f():\n    open('x')") == {"open"}


CONVERSATION, CAPTURE = "lab.analysis.tcp.conversation", "lab.kernel.capture.capture"


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (CONVERSATION, "import socket"),
        (CONVERSATION, "import os.path"),
        (CONVERSATION, "from time import time_ns"),
        (CONVERSATION, "import importlib"),
        (CONVERSATION, "def f():\n    import sys"),
        (CONVERSATION, "from scapy.layers.inet import IP"),
        (CONVERSATION, "from lab.kernel import capture"),
        (CONVERSATION, "from lab import run"),
        (CONVERSATION, "import lab.recording.storage"),
        (CONVERSATION, "import lab.analysis.order.topological"),
        (CONVERSATION, "import scenarios.tcp"),
        (CONVERSATION, "from ...kernel import capture"),
        (
            CONVERSATION,
            "if TYPE_CHECKING:\n    from lab.report.terminal.drawing.style import Style",
        ),
        (CONVERSATION, "__import__('socket')"),
        ("lab.analysis.packets.scapy_import", "import_module('socket')"),
        ("lab.analysis.packets.scapy_import", f"importlib.import_module('{CAPTURE}')"),
        ("lab.analysis.timeline", "from ..kernel import capture"),
        (CAPTURE, "from lab.analysis.packets.packet import Packet"),
        (CAPTURE, "from lab.report.terminal import style"),
        (CAPTURE, "import lab.run"),
        (CAPTURE, "import pyroute2"),
        ("lab.kernel.network.netlink", "import netifaces"),
        ("lab.kernel.network.witness", "import scapy.all"),
        ("lab.kernel.network.witness", "from rich.text import Text"),
        (
            "lab.report.terminal.drawing.style",
            "if TYPE_CHECKING:\n    from lab.kernel.plan import Plan",
        ),
        ("lab.report.terminal.drawing.style", "import numpy"),
        ("lab.report.document.report", "import rich"),
        ("lab.recording.storage", "import lab.cli.main"),
        ("lab.recording.storage", f"import {CAPTURE}"),
        ("lab.model.topology", "import lab.run"),
        ("lab.run", "import scenarios.tcp"),
        ("lab.cli.main", "import rich"),
        ("lab.model.scenario", "import lab.api"),
        ("scenarios.tcp", "from lab.model.claim import Claim"),
        ("scenarios.tcp", "import os"),
        ("scenarios.demos.inet_stream_client", "import lab.api"),
        ("scenarios.demos.inet_stream_client", "import scapy"),
        ("scenarios.demos.inet_stream_client", "from scenarios import tcp"),
    ],
)
def test_a_forbidden_import_is_found(module: str, text: str) -> None:
    assert len(faults(module, text)) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (CONVERSATION, "from __future__ import annotations\nimport enum, struct"),
        (CONVERSATION, "from lab.analysis.packets.packet import Tcp\nfrom . import state"),
        ("lab.analysis.packets.scapy_import", "import sys\nimport_module('scapy.config')"),
        ("lab.kernel.network.netlink", "def f():\n    from pyroute2 import IPRoute"),
        (CAPTURE, "import os, socket\nfrom lab.records import Frame"),
        ("lab.report.terminal.drawing.style", "from rich.text import Text"),
        ("lab.cli.main", "from lab.errors import LabError\nimport lab.run"),
        ("scenarios.tcp", "from lab.api import Claim"),
        ("scenarios.demos.inet_stream_client", "import socket"),
        (SCAPY_DEMOS[0], "from scapy.all import IP"),
    ],
)
def test_an_allowed_import_is_no_fault(module: str, text: str) -> None:
    assert faults(module, text) == []


def test_every_part_of_the_project_is_looked_at() -> None:
    assert {CONVERSATION, CAPTURE, "scenarios.tcp", "lab", "lab.cli.main"} <= set(FILES)
    assert "scenarios.demos.inet_stream_client" in FILES
    assert Path(FILES["lab"]).name == "__init__.py"
