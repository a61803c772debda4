"""`wirelab shell` at a terminal: keys, screen, Ctrl-C, size, and what is left of it all."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from at_terminal import PROMPT, AtTerminal
from outside import marked, wait_until, wait_until_gone

pytestmark = pytest.mark.kernel

BEGUN = "echo be''gun; exec sleep 99"
"""What a shell runs that says so, in other words than those that are typed. It executes sleep(1) in
its own process: dash that waits for another one misses a Ctrl-C now and then (docs/decisions)."""


@pytest.fixture
def at_terminal(tmp_path: Path, marker: str) -> Callable[..., AtTerminal]:
    return lambda *words, **variables: AtTerminal(tmp_path, *words, HOME=str(tmp_path), **variables)


def test_a_program_has_a_terminal_of_its_own(at_terminal: Callable[..., AtTerminal]) -> None:
    with at_terminal() as session:
        assert b"terminal 0 1 2" in session.line(
            "client sh -c 'test -t 0 -a -t 1 -a -t 2 && echo term\"\"inal 0 1 2'"
        )
        assert b"30 100" in session.line("client stty size")
        assert b"/dev/pts/0" in session.line("client tty")
        assert b"again\r\n" in session.line("client sh -c 'echo ag\"\"ain > $(tty)'")
        status, rest = session.quit()
        assert status == 0, rest
        assert session.is_as_before


def test_what_is_typed_is_the_programs(at_terminal: Callable[..., AtTerminal]) -> None:
    with at_terminal() as session:
        session.type(b"client cat\n")
        session.expect(b"cat\r\n")
        session.type(b"hello\n")
        session.expect(b"hello\r\nhello\r\n")  # echoed by its terminal, then written by it
        session.type(b"\x04")
        session.expect(PROMPT)
        long = b"x" * 3000
        session.type(b"client cat\n")
        session.expect(b"cat\r\n")
        session.type(long + b"\n")
        session.expect(long + b"\r\n" + long)


@pytest.mark.parametrize("trace", ["auto", "none"])
def test_ctrl_c_ends_what_has_just_begun(
    at_terminal: Callable[..., AtTerminal], trace: str
) -> None:
    with at_terminal("--trace", trace) as session:
        session.type(b"client bash --norc\n")
        session.expect(b"$ " if os.geteuid() else b"# ")
        for _ in range(10):
            session.type(f'bash -c "{BEGUN}"\n'.encode())
            session.expect(b"begun")
            session.type(b"\x03")
            session.expect(b"$ " if os.geteuid() else b"# ")
        session.type(b"exit\n")
        session.expect(PROMPT)
        for _ in range(5):
            session.type(f'client sh -c "{BEGUN}"\n'.encode())
            session.expect(b"begun")
            session.type(b"\x03")
            session.expect(PROMPT)
        assert session.quit()[0] == 0
        assert session.is_as_before


def test_ctrl_c_at_the_prompt_begins_the_line_anew(
    at_terminal: Callable[..., AtTerminal],
) -> None:
    with at_terminal() as session:
        session.type(b"client echo ne''ver")
        session.expect(b"ne''ver")
        session.type(b"\x03")
        session.expect(PROMPT)
        assert b"on\r\n" in session.line("client echo o''n")
        assert "never" not in session.quit()[1]


def test_ctrl_d_at_the_prompt_quits(at_terminal: Callable[..., AtTerminal]) -> None:
    with at_terminal() as session:
        session.type(b"\x04")
        session.expect(b"shell over IPv4")
        wait_until(lambda: session.process.poll() is not None, 30)
        assert session.process.returncode == 0


def test_a_program_is_told_of_another_size(at_terminal: Callable[..., AtTerminal]) -> None:
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGWINCH, lambda *_: None)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])\n"
        "print('be' + 'gun', flush=True)\n"
        "signal.sigwait([signal.SIGWINCH])\n"
        "print(os.get_terminal_size())\n"
    )
    with at_terminal() as session:
        Path(session.folder, "size.py").write_text(code)
        session.type(f"client {sys.executable} size.py\n".encode())
        session.expect(b"begun")
        session.resize(20, 44)
        session.expect(b"columns=44, lines=20")
        session.expect(PROMPT)


def test_a_program_that_fails_at_a_terminal_is_no_failure_of_the_run(
    at_terminal: Callable[..., AtTerminal],
) -> None:
    with at_terminal() as session:
        assert b"exit status 3" in session.line("client sh -c 'exit 3'")
        assert b"no command and no host" in session.line("nonsense")
        status, rest = session.quit()
        assert status == 0, rest


def test_words_are_completed(at_terminal: Callable[..., AtTerminal]) -> None:
    with at_terminal() as session:
        session.type(b"cli\techo o''ne ser\t\n")
        session.expect(b"client echo o''ne server")
        session.expect(b"one 198.51.100.2\r\n")


def test_lines_of_the_last_session_can_be_had_again(
    at_terminal: Callable[..., AtTerminal],
) -> None:
    if os.geteuid() == 0 and "SUDO_UID" in os.environ:
        pytest.skip("the home is another user's")
    for _ in range(2):
        with at_terminal() as session:
            session.line("client echo o''ne")
            session.quit()
    with at_terminal() as session:
        session.type(b"\x10\x10\n")  # quit is the last one
        session.expect(b"one\r\n")


def test_much_is_shown_whole(at_terminal: Callable[..., AtTerminal]) -> None:
    with at_terminal() as session:
        found = session.line("client seq 100000")
        assert found.count(b"\r\n") >= 100_000
        assert b"\r\n99999\r\n100000\r\n" in found


def test_sigkill_leaves_nothing(at_terminal: Callable[..., AtTerminal], marker: str) -> None:
    with at_terminal() as session:
        session.line("server sleep 99 &")
        session.type(f'client sh -c "setsid sleep 99 & {BEGUN}"\n'.encode())
        session.expect(b"begun")
        assert len(marked(marker)) > 4
        session.process.send_signal(signal.SIGKILL)
        session.process.wait()
        wait_until_gone(marker)


def test_ctrl_c_while_all_are_pinged_leads_back_to_the_prompt(
    at_terminal: Callable[..., AtTerminal],
) -> None:
    with at_terminal() as session:
        session.line("link client server down")
        session.type(b"pingall\n")
        session.expect(b"pingall\r\n")
        session.type(b"\x03")
        session.expect(PROMPT)
        assert b"o n\r\n" in session.line("client echo o' n'")
