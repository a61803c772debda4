"""A run killed at any moment leaves nothing: no process, namespace, link, mount or file."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from ad_hoc_run import python
from outside import (
    STARTING_S,
    command,
    environment,
    host,
    marked,
    net_namespaces,
    net_namespaces_of_others,
    wait_until,
    wait_until_gone,
)

from lab.kernel.system.libc import prctl
from lab.recording.storage import load_recording

pytestmark = pytest.mark.kernel

MOMENTS = 25
SERVER = "import socket; s, _ = socket.create_server(('', {port})).accept(); s.recv(9); s.close()"
CLIENT = (
    "import socket; s = socket.create_connection(('{server}', {port})); s.send(b'x'); s.recv(9)"
)
NETWORK = (
    *("--topology", "nat:20", "--wire", "nat-server delay 5", "--wire", "h20>s1 duplicate data 1"),
    *("--on", "server", python(SERVER), "--on", "h20", python(CLIENT)),
)
"""Twenty hosts, a switch, a NAT, and two wires."""
PR_SET_CHILD_SUBREAPER = 36


class Run:
    """A whole `wirelab run` of these words, or of tcp, in a session and with folders of its own."""

    def __init__(self, folder: Path, *words: str | Path) -> None:
        self.out = folder / "out"
        self.private = {name: folder / name for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR")}
        for path in self.private.values():
            path.mkdir(parents=True)
        self.process = subprocess.Popen(
            command("run", *(words or ("tcp",)), "--out", self.out),
            cwd=folder,
            env=environment(**{name: str(path) for name, path in self.private.items()}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def kill_after(self, delay_s: float) -> None:
        """SIGKILL after the delay, unless it has ended by itself; its own end is waited for.

        Not its stderr's: what it leaves behind would hold that open.
        """
        pidfd = os.pidfd_open(self.process.pid)
        select.select([pidfd], [], [], delay_s)
        os.close(pidfd)
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def strays(self) -> list[Path]:
        """Files outside of --out."""
        return [path for folder in self.private.values() for path in folder.iterdir()]


@pytest.fixture(autouse=True)
def inherits_orphans() -> Iterator[None]:
    """What a killed run leaves running is this process's child then, and not somebody else's."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    yield
    prctl(PR_SET_CHILD_SUBREAPER, 0)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def listed_namespaces() -> frozenset[str]:
    """What lsns knows: root sees namespaces that no process is in, but a descriptor holds."""
    if shutil.which("lsns") is None or os.geteuid() != 0:
        return frozenset()
    for _ in range(20):
        # It fails where a process ends while it looks at it.
        done = subprocess.run(
            ["lsns", "-t", "net", "-n", "-o", "NS"], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return frozenset(f"net:[{number}]" for number in done.stdout.split())
    raise AssertionError(f"lsns fails time and again: {done.stderr}")


def all_namespaces() -> frozenset[str]:
    return net_namespaces() | listed_namespaces()


def slower_of_two(folder: Path, *words: str) -> float:
    """How long a run takes that nobody kills, in seconds."""
    took = []
    for number in range(2):
        began = time.monotonic()
        run = Run(folder / str(number), *words)
        _, stderr = run.process.communicate()
        assert run.process.returncode == 0, stderr
        took.append(time.monotonic() - began)
    return max(took)


@pytest.fixture(scope="module")
def whole_run_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    return slower_of_two(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def whole_network_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    return slower_of_two(tmp_path_factory.mktemp("whole"), *NETWORK)


def test_what_a_run_leaves_would_be_seen(marker: str, tmp_path: Path) -> None:
    """The control: while it runs, its processes and namespaces show where the test looks."""
    run = Run(tmp_path)
    seen_processes, seen_namespaces = 0, frozenset[str]()
    while run.process.poll() is None:
        processes = marked(marker)
        seen_processes = max(seen_processes, len(processes))
        seen_namespaces |= net_namespaces(processes) - {str(Path("/proc/self/ns/net").readlink())}
    run.process.communicate()
    assert run.process.returncode == 0
    assert seen_processes >= 4  # the command, the supervisor, init, a program
    assert len(seen_namespaces) >= 2  # the sandbox's own and a host's


IN_A_NAMESPACE_OF_ITS_OWN = (
    "unshare --user --map-root-user --net sleep 60 </dev/null >/dev/null 2>&1 & echo $!"
)


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_namespace_is_anothers_where_its_process_is_no_descendant(is_ours: bool) -> None:
    """The control: what is passed over below is what other runs hold, and not what one left."""
    prctl(PR_SET_CHILD_SUBREAPER, int(is_ours))
    # Not all that there are: one that another run gives up leaves its number to this one.
    here = net_namespaces([os.getpid()])
    started = subprocess.run(
        ["sh", "-c", IN_A_NAMESPACE_OF_ITS_OWN], stdout=subprocess.PIPE, text=True, check=True
    )
    orphan = int(started.stdout)
    try:
        wait_until(lambda: net_namespaces([orphan]) - here)
        assert (net_namespaces([orphan]) <= net_namespaces_of_others()) is not is_ours
    finally:
        os.kill(orphan, signal.SIGKILL)


def killed_and_gone(folder: Path, delay_s: float, marker: str, *words: str) -> Run:
    """A run that is killed then, or has ended by then, and left nothing outside of its --out."""
    before, namespaces = host(), all_namespaces()
    run = Run(folder, *words)
    run.kill_after(delay_s)
    assert run.process.returncode in (-signal.SIGKILL, 0)
    wait_until_gone(marker)
    assert host() == before
    new = all_namespaces() - namespaces
    wait_until(lambda: not (new & all_namespaces()) - net_namespaces_of_others())
    assert run.strays() == []
    return run


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_run_killed_at_any_moment_leaves_nothing(
    moment: int, whole_run_s: float, marker: str, tmp_path: Path
) -> None:
    run = killed_and_gone(tmp_path, whole_run_s * 1.1 * moment / (MOMENTS - 1), marker)
    # What --out holds is whole as soon as `latest` says so.
    latest = run.out / "tcp" / "latest"
    if latest.exists():
        assert load_recording(latest).frames
        assert (latest / "report.json").stat().st_size > 0
    elif run.process.returncode == 0:
        pytest.fail("a run that ended by itself left no recording")


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_network_with_a_nat_and_wires_killed_at_any_moment_leaves_nothing(
    moment: int, whole_network_s: float, marker: str, tmp_path: Path
) -> None:
    delay_s = whole_network_s * 1.1 * moment / (MOMENTS - 1)
    run = killed_and_gone(tmp_path, delay_s, marker, *NETWORK)
    if run.process.returncode == 0:
        recording = load_recording(run.out / "ad-hoc" / "latest")
        assert recording.translations
        assert recording.wire_strikes


def test_a_run_killed_while_its_programs_hang_leaves_nothing(
    other_scenarios: Path, marker: str, tmp_path: Path
) -> None:
    """The programs would go on for longer than is waited for here."""
    demo = other_scenarios / "scenarios" / "demos" / "inet_stream_client.py"
    demo.write_text("import select; select.select([], [], [])\n")
    before = host()
    run = Run(tmp_path / "run", other_scenarios / "scenarios" / "tcp.py")
    wait_until(lambda: len(marked(marker)) >= 5, STARTING_S)  # both programs are there
    run.kill_after(0)
    assert run.process.returncode == -signal.SIGKILL
    wait_until_gone(marker, 3)
    assert host() == before
    assert run.strays() == []


def test_the_last_moment_is_after_the_end(whole_run_s: float, marker: str, tmp_path: Path) -> None:
    """The control: the delays reach from the beginning of a run to its end."""
    run = Run(tmp_path / "first")
    run.kill_after(0)
    assert run.process.returncode == -signal.SIGKILL
    run = Run(tmp_path / "last")
    run.kill_after(whole_run_s * 3)
    assert run.process.returncode == 0
    wait_until_gone(marker)
