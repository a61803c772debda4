"""Programs that work, and every way in which they can fail; nothing of them is left."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from outside import marked, wait_until, wait_until_gone
from step_programs import HANG, READY, failure, python, run

from lab.kernel.programs.output import OUTPUT_LIMIT_BYTES
from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox
from lab.model.program import DEADLINE_S, Program
from lab.records import ProgramRun

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]


def run_one(sandbox: Sandbox, code: str, *, ready: bool = False) -> ProgramRun:
    (found,) = run(sandbox, python(code, ready=ready)).programs
    return found


def test_what_a_program_writes_is_kept(sandbox: Sandbox) -> None:
    code = "import sys; print('to stdout'); print('to stderr', file=sys.stderr)"
    before_ns = time.time_ns()
    it = run_one(sandbox, code)
    assert (it.name, it.host, it.exit_status) == ("it", "client", 0)
    assert (it.stdout, it.stderr) == ("to stdout\n", "to stderr\n")
    assert it.argv == (sys.executable, "-IS", "-c", code)
    assert it.ready_ns is None
    assert before_ns < it.started_ns < it.ended_ns < time.time_ns()


def test_output_that_is_not_utf_8_is_escaped(sandbox: Sandbox) -> None:
    it = run_one(
        sandbox, "import os; os.write(1, b'caf\\xe9 \\xc3\\xa9\\n'); os.write(2, b'\\xff')"
    )
    assert (it.stdout, it.stderr) == ("caf\\xe9 é\n", "\\xff")


def test_all_of_a_large_output_is_kept(sandbox: Sandbox) -> None:
    it = run_one(sandbox, f"import os\nfor _ in range(16): os.write(1, b'x' * {1 << 16})")
    assert len(it.stdout) == OUTPUT_LIMIT_BYTES == 1 << 20


def test_a_program_runs_on_its_own_host_with_nothing_to_read(sandbox: Sandbox) -> None:
    code = (
        "import socket, sys\n"
        "print(repr(sys.stdin.read()), [name for _, name in socket.if_nameindex()])\n"
        "socket.socket().bind(('198.51.100.{}', 0))"
    )
    for_each = [
        python(code.format(number), name, host=name)
        for number, name in enumerate(("client", "server"), start=1)
    ]
    found = run(sandbox, *for_each).programs
    assert [one.stdout for one in found] == ["'' ['lo', 'eth0']\n"] * 2
    assert [one.host for one in found] == ["client", "server"]


def test_only_a_program_that_signals_has_ready_fd(sandbox: Sandbox) -> None:
    tell = "import os; print('READY_FD' in os.environ, len(os.listdir('/proc/self/fd')))\n"
    found = run(sandbox, python(READY + tell, "a", ready=True), python(tell, "b")).programs
    # stdin, stdout, stderr and the folder that is listed; READY_FD for the first.
    assert [one.stdout for one in found] == ["True 5\n", "False 4\n"]


def test_a_child_left_behind_with_its_outputs_does_not_delay_the_end(marker: str) -> None:
    leave = (
        "import os\nprint('before', flush=True)\nif os.fork() == 0:\n"
        " os.setsid()\n os.write(1, b'from the child\\n')\n" + " " + HANG
    )
    began = time.monotonic()
    with open_sandbox() as sandbox:
        it = run_one(sandbox, leave)
        # The supervisor and init: neither the child nor what traced it.
        wait_until(lambda: len(marked(marker)) == 2)
    assert time.monotonic() - began < DEADLINE_S
    assert it.stdout.startswith("before\n")
    assert it.remark == "exited with status 0 while processes that it had started went on"
    assert not it.failure
    wait_until_gone(marker)


def test_a_program_that_does_not_exist(marker: str) -> None:
    message = failure(marker, Program("it", "client", ("/no/such/program", "a b")))
    assert message == "program it cannot be started: /no/such/program: No such file or directory"


def test_a_program_that_is_no_program(marker: str, tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text("#!/bin/sh\n")
    message = failure(marker, Program("it", "client", (str(path),)))
    assert message == f"program it cannot be started: {path}: Permission denied"


def test_a_program_that_exits_with_a_status(marker: str) -> None:
    code = "import sys; print('one', file=sys.stderr); print('two', file=sys.stderr); sys.exit(3)"
    message = failure(marker, python(code))
    assert message.endswith("exited with status 3; its stderr ends: two")


def test_a_program_that_exits_with_a_status_without_a_word(marker: str) -> None:
    message = failure(marker, python("import sys; sys.exit(1)"))
    assert message.endswith("exited with status 1; it wrote nothing to stderr")


def test_a_program_that_is_killed(marker: str) -> None:
    message = failure(marker, python("import os; os.kill(os.getpid(), 11)"))
    assert message.endswith("was killed by SIGSEGV; it wrote nothing to stderr")


def test_a_program_that_is_killed_by_a_signal_without_a_name(marker: str) -> None:
    message = failure(marker, python("import os; os.kill(os.getpid(), 40)"))
    assert message.endswith("was killed by signal 40; it wrote nothing to stderr")


def test_a_program_that_hangs(marker: str) -> None:
    code = "import sys; print('waiting', file=sys.stderr, flush=True)\n" + HANG
    message = failure(marker, python(code, deadline_s=0.5))
    assert message.endswith("had not ended 0.5 s after its start; its stderr ends: waiting")


def test_a_program_that_ignores_signals_and_hangs(marker: str) -> None:
    code = "import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n" + HANG
    assert "had not ended 0.5 s" in failure(marker, python(code, deadline_s=0.5))


@pytest.mark.parametrize("descriptor", ["1", "2", "int(os.environ['READY_FD'])"])
def test_a_program_that_writes_without_bound(marker: str, descriptor: str) -> None:
    code = f"import os\nwhile True: os.write({descriptor}, b'spam\\n' * 1000)"
    message = failure(marker, python(code, ready=True))
    assert f"wrote more than {OUTPUT_LIMIT_BYTES} bytes" in message
    # The last line may be cut where the limit was.
    said = "its stderr ends: s" if descriptor == "2" else "it wrote nothing to stderr"
    assert f"bytes; {said}" in message


def test_a_program_that_writes_too_much_and_ends(marker: str) -> None:
    code = f"import sys; sys.stdout.write('x' * {OUTPUT_LIMIT_BYTES + 1000})"
    assert f"wrote more than {OUTPUT_LIMIT_BYTES} bytes" in failure(marker, python(code))


def test_a_child_left_behind_that_writes_without_bound_delays_nothing(marker: str) -> None:
    # Not before its parent has ended: what comes until then counts as the parent's.
    spam = (
        "import os\nif os.fork() == 0:\n while os.getppid() != 1: pass\n"
        " while True: os.write(1, b'spam' * 1000)\n"
    )
    began = time.monotonic()
    with open_sandbox() as sandbox:
        assert run_one(sandbox, spam).exit_status == 0
    assert time.monotonic() - began < DEADLINE_S
    wait_until_gone(marker)


def test_children_that_write_without_bound_share_their_programs_limit(marker: str) -> None:
    """All of them, to both descriptors, after their parent has ended while others go on."""
    # None goes on before each has written: the kernel may let the first one run alone for long.
    spam = (
        "import os\nr, w = os.pipe()\nfor fd in (1, 2, 1, 2):\n"
        " if os.fork() == 0:\n"
        "  os.write(fd, b'spam' * 1000); os.close(w); os.read(r, 1)\n"
        "  while True: os.write(fd, b'spam' * 1000)\n"
    )
    with open_sandbox() as sandbox:
        waits = python(HANG, "other", deadline_s=1)
        it, _ = run(sandbox, python(spam), waits).programs
    assert it.failure.startswith(f"wrote more than {OUTPUT_LIMIT_BYTES} bytes; its stderr ends: ")
    assert len(it.stdout) + len(it.stderr) == OUTPUT_LIMIT_BYTES
    assert it.remark.endswith(" bytes more were read")
    wait_until_gone(marker)


def test_a_failing_programs_message_stays_one_line(marker: str) -> None:
    code = "import sys; sys.stderr.write('a\\n\\x1b[31mred\\r\\n'); sys.exit(3)"
    assert failure(marker, python(code)).endswith("its stderr ends: \\x1b[31mred")
