"""Programs that work, and every way in which they can fail; nothing of them is left."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from outside import marked, wait_until, wait_until_gone

from lab.errors import UsageError
from lab.kernel.plan import Plan
from lab.kernel.programs.running_program import OUTPUT_LIMIT_BYTES
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox
from lab.model.family import Family
from lab.model.program import DEADLINE_S, Program, Step
from lab.model.topology import two_hosts
from lab.records import Direction, ProgramRun, Recording

pytestmark = pytest.mark.kernel

READY = "import os; os.write(int(os.environ['READY_FD']), b'up\\n')\n"
HANG = "import select; select.select([], [], [])\n"


def python(
    code: str,
    name: str = "it",
    *,
    host: str = "client",
    ready: bool = False,
    deadline_s: float = 10,
) -> Program:
    argv = (sys.executable, "-IS", "-c", code)
    return Program(name, host, argv, signals_ready=ready, deadline_s=deadline_s)


def run(sandbox: Sandbox, *programs: Program) -> Recording:
    plan = Plan("test", Family.IPV4, two_hosts(), (Step("only", programs),))
    return sandbox.call(record, plan)


def run_one(sandbox: Sandbox, code: str, *, ready: bool = False) -> ProgramRun:
    (found,) = run(sandbox, python(code, ready=ready)).programs
    return found


def failure(marker: str, *programs: Program) -> str:
    """What is told of the programs of a run that failed, a line each; nothing of them is left."""
    with open_sandbox() as sandbox:
        recording = run(sandbox, *programs)
        wait_until(lambda: len(marked(marker)) == 2)  # the supervisor and init
    wait_until_gone(marker)
    failures = [f"program {it.name} {it.failure}" for it in recording.programs if it.failure]
    assert [it.name for it in recording.programs] == [program.name for program in programs]
    assert all(line.isprintable() for line in failures)
    assert {canary.bracket for canary in recording.canaries} == {"opening", "closing"}
    return "\n".join(failures)


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


def test_the_next_program_starts_once_the_one_before_is_ready(sandbox: Sandbox) -> None:
    pause = "import select; select.select([], [], [], 0.1)\n"
    first, second = run(
        sandbox, python(pause + READY, "first", ready=True), python("", "second")
    ).programs
    assert first.ready_ns is not None
    assert first.started_ns + 100_000_000 <= first.ready_ns <= second.started_ns


def test_a_program_that_ends_at_its_checkpoint_does_no_harm(
    sandbox: Sandbox,
) -> None:
    """What it leaves unread in its socket makes the lab's end meet ECONNRESET."""
    code = (
        "import os, select\n"
        "checkpoint = int(os.environ['CHECKPOINT_FD'])\nos.write(checkpoint, b'now\\n')\n"
        "select.select([checkpoint], [], [])\nprint('ended')\n"
    )
    recording = run(sandbox, replace(python(code), has_checkpoints=True))
    assert [one.stdout for one in recording.programs] == ["ended\n"]


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


OPEN_RAW = """
import socket
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    print("opened")
except PermissionError:
    print("refused")
"""


def test_only_a_program_that_keeps_a_capability_has_it(sandbox: Sandbox) -> None:
    keeping = replace(python(OPEN_RAW, "keeping"), capabilities=("CAP_NET_RAW",))
    found = run(sandbox, python(OPEN_RAW, "first"), keeping, python(OPEN_RAW, "last")).programs
    others = "opened\n" if os.geteuid() == 0 else "refused\n"
    assert [one.stdout for one in found] == [others, "opened\n", others]


def test_an_unknown_capability_is_refused_by_name(sandbox: Sandbox) -> None:
    with pytest.raises(UsageError, match="unknown capability 'CAP_NET_ROW'; known: "):
        run(sandbox, replace(python(""), capabilities=("CAP_NET_ROW",)))


def test_programs_of_all_hosts_share_a_folder_that_the_host_does_not_see(
    sandbox: Sandbox, marker: str
) -> None:
    path = f"/run/wirelab/{marker}"
    write = python(f"open({path!r}, 'w').write('from the client')", "writer")
    read = python(f"print(open({path!r}).read())", "reader", host="server")
    plan = Plan("t", Family.IPV4, two_hosts(), (Step("one", (write,)), Step("two", (read,))))
    first, second = sandbox.call(record, plan).programs
    assert second.stdout == "from the client\n"
    assert first.ended_ns < second.started_ns
    assert not Path(path).exists()


def test_frames_of_a_bulk_transfer_fit_the_mtu(sandbox: Sandbox) -> None:
    receive = (
        "import socket\nlistener = socket.create_server(('198.51.100.2', 4242))\n" + READY
        + "peer, _ = listener.accept()\ntotal = 0\n"
        "while data := peer.recv(1 << 16): total += len(data)\nprint(total)"
    )  # fmt: skip
    send = (
        "import socket\nwith socket.create_connection(('198.51.100.2', 4242)) as s:"
        " s.sendall(bytes(300_000))"
    )
    recording = run(
        sandbox,
        python(receive, "receiver", host="server", ready=True),
        python(send, "sender"),
    )
    assert recording.programs[0].stdout == "300000\n"
    sizes = [f.wire_bytes for f in recording.frames if f.direction is Direction.OUT]
    assert sum(sizes) > 300_000
    assert max(sizes) == 1514


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


def test_of_programs_that_wait_for_each_other_each_is_told(marker: str) -> None:
    code = "import sys; print({!r}, file=sys.stderr, flush=True)\n" + HANG
    message = failure(
        marker,
        python(READY + code.format("other"), "other", ready=True),
        python(code.format("one"), "one", deadline_s=0.5),
    )
    other, one = message.splitlines()
    assert one.startswith("program one ")
    assert one.endswith("had not ended 0.5 s after its start; its stderr ends: one")
    assert other.startswith("program other ")
    assert other.endswith("; its stderr ends: other")


def test_a_program_that_ignores_signals_and_hangs(marker: str) -> None:
    code = "import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n" + HANG
    assert "had not ended 0.5 s" in failure(marker, python(code, deadline_s=0.5))


CLOSE_READY = "import os; os.close(int(os.environ['READY_FD']))\n"


@pytest.mark.parametrize(
    "code", [CLOSE_READY + HANG, "", "raise SystemExit(0)"], ids=["closes it", "ends", "exits"]
)
def test_a_program_that_can_no_longer_become_ready(marker: str, code: str) -> None:
    began = time.monotonic()
    message = failure(marker, python(code, ready=True))
    assert "never became ready: it wrote nothing to READY_FD" in message
    assert time.monotonic() - began < DEADLINE_S


def test_a_program_that_hangs_before_it_is_ready(marker: str) -> None:
    message = failure(marker, python(HANG, ready=True, deadline_s=0.5))
    assert "never became ready: 0.5 s after its start" in message


@pytest.mark.parametrize("_", range(5))
def test_a_program_that_fails_before_it_is_ready_is_told_by_its_failure(
    marker: str, _: int
) -> None:
    message = failure(marker, python("raise SystemExit('no such address')", ready=True))
    assert message.startswith("program it exited")
    assert message.endswith("exited with status 1; its stderr ends: no such address")


def test_a_program_that_was_ready_and_hangs(marker: str) -> None:
    message = failure(marker, python(READY + HANG, ready=True, deadline_s=0.5))
    assert "had not ended 0.5 s after its start" in message


def test_a_program_that_fails_after_it_was_ready(marker: str) -> None:
    code = READY + "raise SystemExit(7)"
    message = failure(marker, python(HANG, "other", host="server"), python(code, ready=True))
    other, it = message.splitlines()
    assert other.startswith("program other was ended 2 s after it had failed")
    assert it.startswith("program it exited with status 7")


def test_what_waits_for_a_program_that_failed_is_not_started(
    marker: str,
) -> None:
    dies = python("raise SystemExit(1)", "dies", ready=True)
    message = failure(marker, dies, python("print('started')", "next"))
    first, second = message.splitlines()
    assert first.startswith("program dies exited with status 1")
    assert second == "program next was not started, since dies never became ready"


def test_a_program_that_cannot_be_started_keeps_those_that_need_it_from_starting(
    marker: str,
) -> None:
    absent = Program("absent", "server", ("/no/such/program",), signals_ready=True)
    message = failure(marker, absent, python("print('started')", "next"))
    assert message.splitlines()[1].startswith("program next was not started, since absent cannot")


def test_the_steps_after_one_that_failed_are_run(sandbox: Sandbox) -> None:
    steps = (
        Step("bad", (python("raise SystemExit(1)", "bad"),)),
        Step("good", (python("print('here')", "good"),)),
    )
    recording = sandbox.call(record, Plan("t", Family.IPV4, two_hosts(), steps))
    bad, good = recording.programs
    assert bad.failure
    assert (good.stdout, good.failure) == ("here\n", "")
    assert {canary.step for canary in recording.canaries} == {"bad", "good"}


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


def test_a_failing_programs_message_stays_one_line(marker: str) -> None:
    code = "import sys; sys.stderr.write('a\\n\\x1b[31mred\\r\\n'); sys.exit(3)"
    assert failure(marker, python(code)).endswith("its stderr ends: \\x1b[31mred")


def test_a_failing_program_leaves_no_child_behind(marker: str) -> None:
    code = "import os\nif os.fork() == 0:\n os.setsid()\n " + HANG + "raise SystemExit(3)"
    assert "exited with status 3" in failure(marker, python(code))
    wait_until_gone(marker)
