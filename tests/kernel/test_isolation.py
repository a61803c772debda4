"""What programs under test may do: every line of docs/isolation.md, tried."""

from __future__ import annotations

import ctypes
import json
import os
import random
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from outside import NOBODY, REPOSITORY, names_in, wirelab

pytestmark = pytest.mark.kernel

PAGE = REPOSITORY / "docs" / "isolation.md"
PROBE = REPOSITORY / "tests" / "support" / "kernel" / "isolation_probe.py"
HEADING = "| it tries to | sudo | root | user | because |"
WAYS = ("sudo", "root", "user")
IPC_CREAT, IPC_RMID = 0o1000, 0
LIBC = ctypes.CDLL(None, use_errno=True)

Lines = dict[str, dict[str, str]]


def documented() -> Lines:
    """By what is tried, what the page says of each way."""
    _, found, rest = PAGE.read_text("utf-8").partition(HEADING + "\n")
    assert found
    table = rest.partition("\n\n")[0].splitlines()[1:]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return {row[0]: dict(zip(WAYS, row[1:4], strict=True)) for row in rows}


class Place(NamedTuple):
    """The host as a run finds it."""

    here: Path
    """The current folder."""
    writable: Path
    given: dict[str, Any]


def listening(stack: ExitStack, address: str, *, kind: int = socket.AF_UNIX) -> socket.socket:
    one = stack.enter_context(socket.socket(kind))
    one.bind(address)
    one.listen()
    if address.startswith("/"):
        stack.callback(Path(address).unlink, missing_ok=True)
        Path(address).chmod(0o777)
    return one


def folder(stack: ExitStack, where: str) -> Path:
    """A folder that the programs' user may write to."""
    path = Path(tempfile.mkdtemp(dir=where, prefix="wirelab-isolation-"))
    stack.callback(shutil.rmtree, path)
    path.chmod(0o777)
    return path


BIND_RELATIVE = """
import os, socket, sys
os.umask(0)
os.chdir(sys.argv[1])
one = socket.socket(socket.AF_UNIX)
one.bind("relative.sock")
one.listen()
print("bound", flush=True)
sys.stdin.read()
"""


def bind_relative(stack: ExitStack, where: Path) -> str:
    """A socket of another process's in that folder, bound by a relative path."""
    command = [sys.executable, "-IS", "-c", BIND_RELATIVE, str(where)]
    pipe = subprocess.PIPE
    process = stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe))
    assert process.stdin is not None and process.stdout is not None
    stack.callback(process.stdin.close)
    assert process.stdout.readline() == b"bound\n"
    return str(where / "relative.sock")


@pytest.fixture
def place() -> Iterator[Place]:
    """Files, sockets and shared memory of the host's, gone afterwards."""
    with ExitStack() as stack:
        # /var/tmp is no folder of the programs' own: what is there they see.
        here, writable, elsewhere = (folder(stack, "/var/tmp") for _ in range(3))
        in_tmp = folder(stack, "/tmp")
        in_shm = folder(stack, "/dev/shm")
        for path in (here, elsewhere, in_tmp):
            path.chmod(0o777)
        key = random.randrange(1, 1 << 31)
        segment = LIBC.shmget(key, 1, IPC_CREAT | 0o666)
        assert segment >= 0
        stack.callback(LIBC.shmctl, segment, IPC_RMID, None)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = f"wirelab-isolation-{key}"
        listening(stack, f"\0{abstract}")
        listening(stack, f"{here}/here.sock")
        for name in (f"{elsewhere}/absolute.sock", f"{elsewhere}/named.sock", f"{in_tmp}/x.sock"):
            listening(stack, name)
        fifo = f"{elsewhere}/fifo"
        os.mkfifo(fifo)
        Path(fifo).chmod(0o666)
        yield Place(
            here,
            writable,
            {
                "writable": str(writable),
                "elsewhere": str(elsewhere),
                "in_tmp": str(in_tmp),
                "in_shm": str(in_shm),
                "block_devices": [str(p) for p in Path("/dev").iterdir() if p.is_block_device()],
                "kernel_mounts": [
                    line.split()[1]
                    for line in Path("/proc/mounts").read_text().splitlines()
                    if line.split()[2] in ("tracefs", "debugfs", "bpf")
                ],
                "interfaces": sorted(names_in(Path("/sys/class/net"))),
                "elsewhere_socket": f"{elsewhere}/absolute.sock",
                "named_socket": f"{elsewhere}/named.sock",
                "relative_socket": bind_relative(stack, elsewhere),
                "tmp_socket": f"{in_tmp}/x.sock",
                "set_user_id": "",
                "shm_key": key,
                "host_pid": os.getpid(),
                "tcp_port": tcp.getsockname()[1],
                "abstract": abstract,
                "fifo": fifo,
                "key": abstract,
                "processors": len(os.sched_getaffinity(0)),
            },
        )


# keyctl(2), KEYCTL_JOIN_SESSION_KEYRING and KEYCTL_SETPERM: a key that everybody may use.
WITH_KEY = """
import ctypes, os, sys
keyctl, add_key = {"x86_64": (250, 248), "aarch64": (219, 217)}[os.uname().machine]
call = ctypes.CDLL(None, use_errno=True).syscall
call.restype = ctypes.c_long
number = ctypes.c_long
if call(number(keyctl), number(1), None) > 0:  # a container may forbid it to everybody
    key = call(number(add_key), b"user", sys.argv[1].encode(), b"secret", number(6), number(-3))
    assert key > 0 and call(number(keyctl), number(5), number(key), number(0x3F3F3F3F)) == 0
    session = call(number(keyctl), number(0), number(-3), number(0))
    assert call(number(keyctl), number(5), number(session), number(0x3F3F3F3F)) == 0
os.execvp(sys.argv[2], sys.argv[2:])
"""


def session_key(name: str) -> list[str]:
    """What comes before a command that is to have a session keyring with that key."""
    return [sys.executable, "-IS", "-c", WITH_KEY, name]


def as_the_way_goes(way: str, request: pytest.FixtureRequest) -> tuple[list[str], dict[str, str]]:
    """What comes before the command, and its environment."""
    if way == "user":
        return request.getfixturevalue("as_sandboxing_nobody"), {"HOME": "/"}
    if os.geteuid() != 0:
        pytest.skip("not root")
    return [], {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)} if way == "sudo" else {}


def expected_of(line: str, said: str, prefix: list[str]) -> bool | None:
    """What the program can do if the page is right; None where this user cannot try it."""
    if said == "as the host":
        makes = [*prefix, "unshare", "--user", "true"]
        return subprocess.run(makes, check=False, capture_output=True).returncode == 0
    assert said in ("yes", "no"), line
    return said == "yes"


LIST = "import isolation_probe, json; print(json.dumps(list(isolation_probe.TRIES)))"


def test_each_line_of_the_page_has_a_try_and_each_try_a_line() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=PROBE.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert list(documented()) == json.loads(listed.stdout)


@pytest.mark.parametrize("way", WAYS)
def test_a_program_may_do_what_the_page_says(
    way: str, place: Place, request: pytest.FixtureRequest, needs_ptrace: None, marker: str
) -> None:
    prefix, env = as_the_way_goes(way, request)
    if os.geteuid() == 0:
        # Root's if an ordinary user runs it, and an ordinary user's if root does.
        program = shutil.copy("/usr/bin/id", place.here / "other-id")
        os.chown(program, NOBODY if way == "root" else 0, -1)
        Path(program).chmod(0o4755)
        place.given["set_user_id"] = str(program)
    key = session_key(place.given["key"])
    done = wirelab(
        "run", "--trace", "ptrace", "--out", place.writable / "runs", "--json",
        "--writable", place.writable, "--socket", place.given["named_socket"],
        "--unix", "/run/wirelab/of-the-server",
        "--server", shlex.join((sys.executable, "-IS", str(PROBE), "serve")),
        "--client", shlex.join((sys.executable, "-IS", str(PROBE), json.dumps(place.given))),
        cwd=place.here, as_user=[*key, *prefix], env=env,
    )  # fmt: skip
    assert done.stderr == ""
    report = json.loads(done.stdout)
    lines = (place.writable / "runs" / "ad-hoc" / "latest" / "recording.jsonl").read_text()
    records = map(json.loads, lines.splitlines())
    (client,) = (each for each in records if each.get("name") == "client")
    assert client["stderr"] == ""
    could = json.loads(client["stdout"])
    said = {line: expected_of(line, ways[way], prefix) for line, ways in documented().items()}
    if not place.given["set_user_id"]:
        said["become another user by a set-user-ID program"] = None
    assert could == said
    uid = 0 if way == "root" else NOBODY
    assert report["ran_as"]["uid"] == uid
    assert (place.here / "made-here").stat().st_uid == uid
    assert not Path("/tmp/wirelab-isolation-probe").exists()


ALLOWED = """
import os, socket, subprocess, sys
for name in sys.argv[2:]:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(name)
open(os.path.join(sys.argv[1], "made"), "x").close()
subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
print(os.geteuid())
"""


@pytest.mark.skipif(shutil.which("ip") is None, reason="ip is not installed")
def test_what_options_allow_lies_anywhere(marker: str, tmp_path: Path) -> None:
    """In /run and /tmp too, which are the programs' own; and as another user, for root."""
    is_root = os.geteuid() == 0
    with ExitStack() as stack:
        in_tmp = folder(stack, "/tmp")
        sockets = [f"{in_tmp}/s.sock"]
        if is_root:
            in_run = folder(stack, "/run")
            in_run.chmod(0o777)
            sockets.append(f"{in_run}/s.sock")
        for name in sockets:
            listening(stack, name)
        writable = folder(stack, "/tmp")
        done = wirelab(
            "run", "--trace", "none", "--out", tmp_path, "--json", "--cap", "CAP_NET_ADMIN",
            "--writable", writable, *(word for name in sockets for word in ("--socket", name)),
            *(("--as", "nobody") if is_root else ()),
            "--server", shlex.join((sys.executable, "-IS", str(PROBE), "serve")),
            "--unix", "/run/wirelab/of-the-server",
            "--client", shlex.join((sys.executable, "-IS", "-c", ALLOWED, str(writable), *sockets)),
        )  # fmt: skip
        assert done.stderr == ""
        report = json.loads(done.stdout)
        assert "failure" not in report["programs"][1]
        who = report["ran_as"]
        assert (who["sockets"], who["writable"]) == (sockets, [str(writable)])
        assert (
            who["uid"] == (writable / "made").stat().st_uid == (NOBODY if is_root else os.getuid())
        )
