"""What a submission may do: every line of docs/submissions.md, tried in a cell and out of one."""

from __future__ import annotations

import ctypes
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from outside import NOBODY, REPOSITORY, environment

from lab.kernel.cells.root import interpreters
from lab.model.allowed import Limits
from lab.syscalls.refused import REFUSED, REFUSED_NUMBERS

pytestmark = pytest.mark.kernel

PAGE = REPOSITORY / "docs" / "submissions.md"
HOSTILE = REPOSITORY / "tests" / "support" / "hostile"
HEADING = "| it tries to | may it? | because |"
CALLS_HEADING = "| calls about | are |"
WAYS = ("sudo", "root", "user")
IPC_CREAT, IPC_RMID = 0o1000, 0
LIBC = ctypes.CDLL(None, use_errno=True)
LIMITS = Limits(cpu_s=30, memory_mib=128, processes=20, file_mib=2, disk_mib=8, open_files=40)

ALSO_OUTSIDE = {
    "find what another program of the run has in its /tmp",  # there is no run
    "connect to the run's other hosts",
    "find or make a block device",  # a container has none
    "make calls of 32 bits",  # a kernel may be without
    "use keys of the session that the lab was called in",  # a container may forbid them
    "become another user by a set-user-ID program",
    "leave a core file",  # whoever runs the tests may have forbidden it
    "take more memory of its own than its limit",
}
"""Of what a submission may not do, what its user need not be able to do without a cell either."""


def rows(heading: str) -> list[list[str]]:
    _, found, rest = PAGE.read_text("utf-8").partition(heading + "\n")
    assert found
    table = rest.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def documented() -> dict[str, bool]:
    return {line: {"yes": True, "no": False}[may] for line, may, _ in rows(HEADING)}


class Place(NamedTuple):
    """The host as a submission finds it."""

    folder: Path
    """What was handed in."""
    tools: Path
    given: dict[str, Any]


def made(stack: ExitStack, where: str) -> Path:
    path = Path(tempfile.mkdtemp(dir=where, prefix="wirelab-cell-"))
    stack.callback(shutil.rmtree, path)
    path.chmod(0o777)
    return path


def listening(stack: ExitStack, address: str) -> None:
    one = stack.enter_context(socket.socket(socket.AF_UNIX))
    one.bind(address)
    one.listen()
    if address.startswith("/"):
        Path(address).chmod(0o777)


@pytest.fixture
def place() -> Iterator[Place]:
    """Files, sockets, processes and shared memory of the host's, gone afterwards."""
    with ExitStack() as stack:
        folder, tools, elsewhere = (made(stack, "/var/tmp") for _ in range(3))
        in_tmp, in_shm = made(stack, "/tmp"), made(stack, "/dev/shm")
        shutil.copy(HOSTILE / "cell_probe.py", folder)
        for name in ("sheet.py", "bob.py"):
            (elsewhere / name).write_text("secret\n")
        key = random.randrange(1, 1 << 30) * 2
        segment = LIBC.shmget(key, 1, IPC_CREAT | 0o666)
        assert segment >= 0
        stack.callback(LIBC.shmctl, segment, IPC_RMID, None)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listening(stack, f"\0wirelab-cell-{key}")
        listening(stack, f"{in_tmp}/x.sock")
        yield Place(
            folder,
            tools,
            {
                "folder": str(folder),
                "sheet": str(elsewhere / "sheet.py"),
                "other": str(elsewhere / "bob.py"),
                "lab": str(REPOSITORY / "lab" / "run.py"),
                "in_tmp": str(in_tmp),
                "in_shm": str(in_shm),
                "neighbour_file": "/tmp/of-the-neighbour",
                "shown": [*interpreters(), str(tools)],
                "pids": [os.getpid(), os.getppid(), *range(2, 60)],
                "set_user_id": "",
                "shm_key": key,
                "key": f"wirelab-cell-{key}",
                "tcp_port": tcp.getsockname()[1],
                "abstract": f"wirelab-cell-{key}",
                "unix": f"{in_tmp}/x.sock",
                "limits": asdict(LIMITS),
                "numbers": REFUSED_NUMBERS.get(os.uname().machine, {}),
                "calls": REFUSED,
                "is_control": False,
            },
        )


def as_the_way_goes(way: str, request: pytest.FixtureRequest) -> tuple[list[str], dict[str, str]]:
    """What comes before the command, and its environment."""
    if way == "user":
        return request.getfixturevalue("as_sandboxing_nobody"), {"HOME": "/"}
    if os.geteuid() != 0:
        pytest.skip("not root")
    return [], {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)} if way == "sudo" else {}


def set_user_id(place: Place, owner: int) -> None:
    """A set-user-ID program of another user's, where this is root."""
    if os.geteuid() == 0:
        program = shutil.copy("/usr/bin/id", place.tools / "other-id")
        os.chown(program, owner, -1)
        Path(program).chmod(0o4755)
        place.given["set_user_id"] = str(program)


LIST = "import cell_probe, json; print(json.dumps(list(cell_probe.TRIES)))"


def test_each_line_of_the_page_has_a_try_and_each_try_a_line() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=HOSTILE, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert list(documented()) == json.loads(listed.stdout)
    calls = {kind: names.replace("`", "").split(", ") for kind, names in rows(CALLS_HEADING)}
    assert calls == {kind: list(names) for kind, names in REFUSED.items()}


@pytest.mark.parametrize("way", WAYS)
def test_a_submission_may_do_what_the_page_says(
    way: str, place: Place, request: pytest.FixtureRequest, marker: str
) -> None:
    prefix, env = as_the_way_goes(way, request)
    set_user_id(place, 0 if way == "user" else NOBODY)
    (place.folder / "given.json").write_text(json.dumps(place.given))
    before = sorted(path.name for path in place.folder.iterdir())
    words = (place.folder, json.dumps(asdict(LIMITS)), json.dumps([str(place.tools)]))
    done = subprocess.run(
        [*prefix, sys.executable, HOSTILE / "probed.py", *map(str, words), place.tools / "runs"],
        env=environment(WIRELAB_TEST_SECRET="42", **env), capture_output=True, text=True,
        check=False, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["stderr"], told["failure"]) == ("", "")
    answer = json.loads(told["stdout"])
    expected: dict[str, bool | None] = dict(documented())
    if not place.given["set_user_id"]:
        expected["become another user by a set-user-ID program"] = None
    if os.uname().machine != "x86_64":
        expected["make calls of 32 bits"] = None
    assert answer["could"] == expected
    numbers = place.given["numbers"]
    wanted = {kind: [name for name in names if name in numbers] for kind, names in REFUSED.items()}
    assert answer["refused"] == wanted
    assert told["uid"] == NOBODY if way == "user" else told["uid"] >= 0x70000000
    assert sorted(path.name for path in place.folder.iterdir()) == before


@pytest.mark.parametrize("way", ["root", "user"])
def test_out_of_a_cell_the_same_user_may(
    way: str, place: Place, request: pytest.FixtureRequest
) -> None:
    """The control: what a cell forbids is not forbidden by something else."""
    prefix, env = as_the_way_goes(way, request)
    set_user_id(place, 0 if way == "user" else NOBODY)
    place.given["is_control"] = True
    if way == "user":
        # A process of the same user's to see, signal and trace.
        victim = subprocess.Popen([*prefix, "sleep", "100"])
        request.addfinalizer(victim.wait)
        request.addfinalizer(victim.kill)
        place.given["pids"] = [victim.pid]
    (place.folder / "given.json").write_text(json.dumps(place.given))
    done = subprocess.run(
        [*prefix, sys.executable, "-IS", "cell_probe.py", "given.json"],
        cwd=place.folder, env=environment(WIRELAB_TEST_SECRET="42", **env),
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    forbidden = {line for line, may in documented().items() if not may} - ALSO_OUTSIDE
    of_root = {
        "write to /usr, /etc, or beside its folder",
        "set a sysctl: kernel.core_pattern",
        "listen on a port below 1024",
        "open a raw socket, a packet socket, or one of the kernel's cryptography",
        "change one",
        "go before others: real-time priority, or nice(2) below 0",
    }
    could = {line for line in forbidden if answer["could"][line]}
    assert could == (forbidden if way == "root" else forbidden - of_root)
    if way == "root":
        refused = [name for names in answer["refused"].values() for name in names]
        # A machine may forbid some to root as well, by sysctls or as a container does.
        assert len(refused) < 15, refused
