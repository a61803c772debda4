"""A run killed at any moment leaves nothing: no process, namespace, link, mount or file."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from outside import (
    STARTING_S,
    command,
    environment,
    host,
    marked,
    net_namespaces,
    wait_until,
    wait_until_gone,
)

from lab.recording.storage import load_recording

pytestmark = pytest.mark.kernel

MOMENTS = 25


class Run:
    """A whole `wirelab run` in a session of its own, with folders to itself."""

    def __init__(self, folder: Path, scenario: str | Path = "tcp") -> None:
        self.out = folder / "out"
        self.private = {name: folder / name for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR")}
        for path in self.private.values():
            path.mkdir(parents=True)
        self.process = subprocess.Popen(
            command("run", scenario, "--out", self.out),
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
            return frozenset(done.stdout.split())
    raise AssertionError(f"lsns fails time and again: {done.stderr}")


@pytest.fixture(scope="module")
def whole_run_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run takes that nobody kills: the slower one of two."""
    took = []
    for _ in range(2):
        began = time.monotonic()
        run = Run(tmp_path_factory.mktemp("whole"))
        _, stderr = run.process.communicate()
        assert run.process.returncode == 0, stderr
        took.append(time.monotonic() - began)
    return max(took)


def test_what_a_run_leaves_would_be_seen(marker: str, tmp_path: Path) -> None:
    """The control: while it runs, its processes and namespaces show where the test looks."""
    namespaces = net_namespaces()
    run = Run(tmp_path)
    seen_processes, seen_namespaces = 0, frozenset[str]()
    while run.process.poll() is None:
        seen_processes = max(seen_processes, len(marked(marker)))
        seen_namespaces |= net_namespaces() - namespaces
    run.process.communicate()
    assert run.process.returncode == 0
    assert seen_processes >= 4  # the command, the supervisor, init, a program
    assert len(seen_namespaces) >= 2  # the sandbox's own and a host's


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_run_killed_at_any_moment_leaves_nothing(
    moment: int, whole_run_s: float, marker: str, tmp_path: Path
) -> None:
    before, namespaces, listed = host(), net_namespaces(), listed_namespaces()
    run = Run(tmp_path)
    run.kill_after(whole_run_s * 1.1 * moment / (MOMENTS - 1))
    assert run.process.returncode in (-signal.SIGKILL, 0)
    wait_until_gone(marker)
    assert host() == before
    # Others may come and go meanwhile; those that came and stay are the run's.
    new = (net_namespaces() - namespaces, listed_namespaces() - listed)
    wait_until(lambda: not new[0] & net_namespaces() and not new[1] & listed_namespaces())
    assert run.strays() == []
    # What --out holds is whole as soon as `latest` says so.
    latest = run.out / "tcp" / "latest"
    if latest.exists():
        assert load_recording(latest).frames
        assert (latest / "report.json").stat().st_size > 0
    elif run.process.returncode == 0:
        pytest.fail("a run that ended by itself left no recording")


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
