"""What the tests see and do from outside the sandbox: the host, its processes, the command."""

from __future__ import annotations

import ctypes
import functools
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.topology import Topology
from lab.recording.storage import load_recording, save_recording
from lab.records import Recording

REPOSITORY = Path(__file__).resolve().parents[3]
MARKER = "WIRELAB_TEST_MARKER"
LIKE_A_MARKER = "0" * 32
"""In the environment of a process that forks others, until a fork writes there (become_marked)."""
DEADLINE_S = 10.0
STARTING_S = 30.0  # an emulated machine takes seconds to start what a run consists of
FAMILIES = ("4", "6")
NOBODY = 65534
OWN_SCENARIOS = ("--scenarios", "scenarios")


def wait_until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Return once the condition is true; fail at the deadline."""
    end = time.monotonic() + deadline_s
    pause_s = 0.002
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {condition}")
        select.select([], [], [], pause_s)
        # To look through /proc takes as long, and what is waited for may need this processor.
        pause_s = min(1.3 * pause_s, 0.03)


def _names(folder: str) -> list[str]:
    # os.listdir: a Path for each of /proc's entries costs ten times as much.
    return os.listdir(folder)  # noqa: PTH208


def pids() -> Iterator[int]:
    yield from (int(name) for name in _names("/proc") if name.isdigit())


def marked(value: str) -> frozenset[int]:
    """Processes whose environment holds the marker; a zombie has none."""
    wanted = f"{MARKER}={value}".encode()
    found = set()
    for pid in pids():
        try:
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.add(pid)
        except OSError:
            continue  # gone, or another user's
    return frozenset(found)


@functools.cache
def marked_at() -> int:
    """Where the marker is in the environment that this process began with.

    /proc/pid/environ shows what is there, in all that are forked from here. Source: proc(5).
    """
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    found: int = getenv(MARKER.encode())
    return found


def become_marked(environ: Mapping[str, str]) -> None:
    """Have this fork carry the marker of that environment, if that has one."""
    if len(marker := environ.get(MARKER, "").encode()) == len(LIKE_A_MARKER):
        ctypes.memmove(marked_at(), marker, len(marker))


def wait_until_gone(value: str, deadline_s: float = DEADLINE_S) -> None:
    """Fail where a process with this marker is still there at the deadline."""
    try:
        wait_until(lambda: not marked(value), deadline_s)
    except AssertionError:
        raise AssertionError(f"left behind: {[command_of(p) for p in marked(value)]}") from None


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return f"{pid}, gone"


def is_alive(pid: int) -> bool:
    """Whether the process is there and no zombie. Source: proc(5), /proc/pid/stat."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def parents() -> dict[int, int]:
    """The parent of each process."""
    found = {}
    for pid in pids():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        found[pid] = int(stat.rpartition(")")[2].split()[1])
    return found


def children(parent: int) -> list[int]:
    return [pid for pid, its_parent in parents().items() if its_parent == parent]


def descendants(ancestor: int) -> frozenset[int]:
    """Its children, theirs, and so on."""
    of = parents()
    found: set[int] = set()
    new = {ancestor}
    while new:
        new = {pid for pid, parent in of.items() if parent in new}
        found |= new
    return frozenset(found)


class Host(NamedTuple):
    """What a run must leave as it was."""

    namespaces: tuple[str, ...]
    interfaces: tuple[str, ...]
    links: str
    mounts: str
    names: tuple[str, ...] | None
    """The entries of /run/netns; None where it does not exist."""


def host() -> Host:
    kinds = ("net", "mnt", "pid", "user")
    names = "/run/netns"
    interfaces = Path("/proc/net/dev").read_text().splitlines()[2:]
    return Host(
        namespaces=tuple(str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in kinds),
        interfaces=tuple(line.partition(":")[0].strip() for line in interfaces),
        links=output_of("ip", "-o", "link") if shutil.which("ip") else "",
        mounts=Path("/proc/self/mountinfo").read_text(),
        names=tuple(sorted(_names(names))) if Path(names).is_dir() else None,
    )


def net_namespaces(of: Iterable[int] | None = None) -> frozenset[str]:
    """Every network namespace that one of these processes is in, or any, as far as one may look."""
    found = set()
    for pid in pids() if of is None else of:
        try:
            found.add(str(Path(f"/proc/{pid}/ns/net").readlink()))
        except OSError:
            continue
    return frozenset(found)


def net_namespaces_of_others() -> frozenset[str]:
    """Those that a process which does not descend from this one is in, or holds open.

    Of what a test started everything descends from it, if it is a subreaper (prctl(2)).
    """
    ours = {os.getpid(), *descendants(os.getpid())}
    others = [pid for pid in pids() if pid not in ours]
    found = set(net_namespaces(others))
    for pid in others:
        try:
            descriptors = [Path(f"/proc/{pid}/fd/{name}") for name in _names(f"/proc/{pid}/fd")]
        except OSError:
            continue  # gone, or another user's
        for descriptor in descriptors:
            try:
                target = str(descriptor.readlink())
            except OSError:
                continue
            if target.startswith("net:["):
                found.add(target)
    return frozenset(found)


def output_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, cleared of what changes how the command prints."""
    unwanted = (
        "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "PYTHONPATH",
        "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE",
    )  # fmt: skip
    kept = {key: value for key, value in os.environ.items() if key not in unwanted}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **changes}


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "lab", *map(str, words)]


def wirelab(
    *words: str | Path,
    cwd: Path | None = None,
    as_user: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    timeout_s: float = 60,
    typed: str = "",
) -> subprocess.CompletedProcess[str]:
    """The command run to its end, with what is typed on standard input; nothing is checked."""
    return subprocess.run(
        [*as_user, *command(*words)],
        cwd=cwd or "/",
        env=environment(**(env or {})),
        input=typed,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout_s,
    )


def with_mtu(topology: Topology, mtu_bytes: int) -> Topology:
    return replace(
        topology, links=tuple(replace(link, mtu_bytes=mtu_bytes) for link in topology.links)
    )


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def check_refused(done: subprocess.CompletedProcess[str], status: int = 2) -> str:
    """The message of a command that was refused: one or two lines, nothing else."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("wirelab: ")
    assert done.stderr.endswith("\n")
    assert len(done.stderr.splitlines()) <= 2
    assert done.stdout == ""
    return done.stderr


def edited(folder: Path, edit: Callable[[Recording], Recording]) -> Path:
    save_recording(edit(load_recording(folder)), folder, {})
    return folder


def init_pid(sandbox: Sandbox) -> int:
    sandbox.call(os.getpid)  # it is there once it has answered
    (pid,) = children(sandbox.supervisor_pid)
    return pid
