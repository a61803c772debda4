"""Importing does nothing: no descriptor, thread, process or file, and nothing slow early."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from house import FILES, ROOT

pytestmark = pytest.mark.programs

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
code, *names = sys.argv[1:]
for name in names:
    __import__(name)
exec(code)
opened = [path for number, path in descriptors().items() if before.get(number) != path]
print(json.dumps({
    "seen": seen,
    # ctypes' libffi, from 3.5 on, keeps its own library open, for its trampolines.
    "descriptors": [path for path in opened if not path.rpartition("/")[2].startswith("libffi.")],
    "threads": threading.active_count(),
    "packages": sorted(
        {"argcomplete", "click", "jinja2", "netifaces", "numpy", "pyarrow"} & set(sys.modules)
        | {"pyroute2", "rich", "scapy"} & set(sys.modules)
    ),
}))
"""


def import_watched(home: Path, *modules: str, code: str = "") -> dict[str, Any]:
    """What importing the modules does, in an interpreter of its own with an empty home.

    And the code that is executed then.
    """
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, code, *modules],
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


OF_DASK = "lab.sweep.worker"
NOTHING = {"seen": [], "descriptors": [], "threads": 1}


def test_the_command_line_imports_no_other_package(tmp_path: Path) -> None:
    assert import_watched(tmp_path, "lab.cli.main") == NOTHING | {"packages": []}


def test_a_scenario_can_be_run_before_anything_slow_is_imported(tmp_path: Path) -> None:
    told = import_watched(tmp_path, "lab.run", "scenarios.tcp", "lab.kernel.plan")
    assert told == NOTHING | {"packages": []}


DISSECTED = """
from lab.analysis.packets.dissect import dissect
from lab.records import Direction, Frame, LinkType
assert dissect(Frame(1, "", Direction.OUT, bytes(14), 14, LinkType.ETHERNET)).layers
"""


def test_the_dissection_imports_scapy_with_the_first_frame_and_writes_nothing(
    tmp_path: Path,
) -> None:
    dissection = "lab.analysis.packets.dissect"
    assert import_watched(tmp_path, dissection) == NOTHING | {"packages": []}
    told = import_watched(tmp_path, dissection, code=DISSECTED)
    assert told == NOTHING | {"packages": ["scapy"]}


@pytest.mark.parametrize("name", ["tcp4", "tcp6"])
def test_a_run_whose_frames_are_plain_is_judged_without_scapy(name: str, tmp_path: Path) -> None:
    folder = ROOT / "tests" / "recordings" / name
    code = f"from lab.run import judged; assert judged({str(folder)!r}).judgements"
    told = import_watched(tmp_path, "lab.run", code=code)
    assert not {"scapy", "numpy"} & set(told["packages"])


def test_importing_everything_opens_and_writes_nothing(tmp_path: Path) -> None:
    modules = [
        name
        for name in FILES
        if (name.split(".")[0] == "lab" and not name.endswith("__main__"))
        or name == "scenarios.tcp"
    ]
    modules.remove(OF_DASK)  # with which Dask comes, and click with that
    told = import_watched(tmp_path, *modules)
    assert "click" not in told.pop("packages")
    assert told == NOTHING


def test_what_workers_of_dask_import_opens_and_writes_nothing(tmp_path: Path) -> None:
    told = import_watched(tmp_path, OF_DASK)
    assert told == NOTHING | {"packages": told["packages"]}


AT_THE_SANDBOX = """
import os, sys
def hook(name, arguments):
    if name in ("subprocess.Popen", "os.fork"):
        print(name, *sys.modules, flush=True)
        os._exit(0)
sys.addaudithook(hook)
"""
AS_THE_COMMAND = "from lab.__main__ import main; main()"
AS_ANOTHERS = "from lab.cli.main import main; main(sys.argv[1:])"


@pytest.mark.parametrize(
    ("start", "how"), [(AS_THE_COMMAND, "os.fork"), (AS_ANOTHERS, "subprocess.Popen")]
)
@pytest.mark.parametrize("words", ["run tcp", "compare"])
def test_a_command_starts_its_sandbox_before_it_imports_what_comes_after(
    words: str, start: str, how: str, tmp_path: Path
) -> None:
    # dataclasses stands for what takes long. A fork is made when that is there which both need.
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_SANDBOX + start, *words.split()],
        env={"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    started, *modules = done.stdout.split()
    imported = set(modules)
    assert started == how
    assert "lab.kernel.sandbox.sandbox" in imported
    both = {"dataclasses", "lab.records"}
    assert imported & both == (both if how == "os.fork" else set())
    assert not imported & {"lab.results", "lab.api", "lab.analysis.timeline", "rich"}


def test_what_saves_a_recording_does_not_import_what_reads_captures() -> None:
    code = "import sys, lab.recording.storage; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    imported = set(done.stdout.split())
    assert "lab.pcap.pcapng_writing" in imported
    assert not imported & {"lab.pcap.capture_file", "lab.pcap.capture", "lab.pcap.pcapng"}
