"""`wirelab step` in tmux: keys typed at a real pty, real frames."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import join, quote

import pytest
from outside import command, environment

from lab.api import Family, run
from lab.recording.storage import load_recording
from lab.scenario_files import find_scenario

pytestmark = pytest.mark.kernel
TMUX = shutil.which("tmux")
needs_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")
PATIENCE_S = 60.0
"""For a screen to come, whose modules a busy machine takes long to import."""
POLL_S = 0.05


class Tmux:
    """A terminal of 80 by 24 in which a command runs; its exit status is written to a file."""

    def __init__(self, folder: Path, *words: str | Path) -> None:
        self._socket = folder / "tmux"
        self._status = folder / "status"
        line = f"{join(command(*words))}; echo $? > {quote(str(self._status))}"
        self._tmux("new-session", "-d", "-s", "step", "-x", "80", "-y", "24", line, cwd=folder)

    def _tmux(self, *words: str, cwd: Path | None = None) -> str:
        assert TMUX is not None
        done = subprocess.run(
            [TMUX, "-f", "/dev/null", "-S", str(self._socket), *words],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment(TERM="xterm-256color", SHELL="/bin/sh"),
            timeout=PATIENCE_S,
            check=False,
        )
        return done.stdout

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", "step")

    def wait_for(self, *texts: str) -> str:
        """The screen once it has all of these."""
        deadline = time.monotonic() + PATIENCE_S
        while not all(text in (screen := self.screen) for text in texts):
            assert time.monotonic() < deadline, screen
            time.sleep(POLL_S)
        return screen

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", "step", *keys)

    def wait_for_end(self) -> int:
        """The command's exit status."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._status.is_file() or not self._status.read_text():
            assert time.monotonic() < deadline, self.screen
            time.sleep(POLL_S)
        return int(self._status.read_text())

    def close(self) -> None:
        self._tmux("kill-server")


@contextmanager
def at_tmux(folder: Path, *words: str | Path) -> Iterator[Tmux]:
    tmux = Tmux(folder, *words)
    try:
        yield tmux
    finally:
        tmux.close()


@needs_tmux
def test_a_conversation_is_stepped_and_its_rules_do_the_same_again(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    with at_tmux(
        tmp_path, "step", "tcp", "--out", tmp_path / "runs", "--save-rules", rules, "-q"
    ) as tmux:
        first = tmux.wait_for("SYN seq=0", "waits for", "SYN_SENT", "resends in")
        lines = first.splitlines()
        assert len(lines) == 24 and max(map(len, lines)) <= 80
        assert "> connect(3, " in first and "timers run on while frames wait" in first
        tmux.press("x")
        tmux.wait_for("dropped", "resent, waits for")
        tmux.press("d")
        tmux.wait_for("SYN ACK seq=0")
        tmux.press("g", "e")
        assert tmux.wait_for_end() == 0
    (recording,) = [load_recording(tmp_path / "runs" / "tcp" / "latest")]
    assert [rule.text for rule in recording.wire_rules] == [
        "client-server hold",
        "client>server drop SYN 1",
    ]
    lines = [line for line in rules.read_text().splitlines() if not line.startswith("#")]
    assert lines == ["client>server drop SYN 1"]
    again = run(find_scenario("tcp", ""), Family.IPV4, wire=lines, out=tmp_path)
    (timeline,) = again.timelines
    assert [struck.rule.text for struck in timeline.struck] == lines


@needs_tmux
@pytest.mark.parametrize("keys", [["C-c"], ["q", "x"]], ids=["interrupted", "dropped"])
def test_nothing_is_left_behind(keys: list[str], tmp_path: Path) -> None:
    with at_tmux(tmp_path, "step", "tcp", "--out", tmp_path / "runs", "-q") as tmux:
        tmux.wait_for("SYN seq=0", "waits for")
        for key in keys:
            tmux.press(key)
            if key == "q":
                tmux.wait_for("x  is dropped")
        status = tmux.wait_for_end()
    assert status == (130 if keys == ["C-c"] else 0)
    assert (tmp_path / "runs" / "tcp").exists() == (keys != ["C-c"])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("step", "tcp", "--client", "true"), "not both"),
        (("step",), "step what?"),
        (("step", "tcp", "--port", "80"), "--port goes with"),
    ],
)
def test_what_is_to_be_stepped_has_to_be_clear(words: tuple[str, ...], why: str) -> None:
    from lab.cli.step import wanted_step
    from lab.cli.words.options import make_parser
    from lab.errors import UsageError

    with pytest.raises(UsageError, match=why):
        wanted_step(make_parser(words).parse_args(words))


def test_without_a_terminal_that_is_said() -> None:
    done = subprocess.run(
        command("step", "tcp"),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(),
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2 and "needs a terminal" in done.stderr
