"""A session asked directly: what programs write, wait for and leave."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from lab.ad_hoc import session_scenario
from lab.errors import InstrumentError
from lab.kernel.plan import Plan
from lab.kernel.recorder import record_session
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.session.control import Control
from lab.kernel.session.requests import Ended, Job, Taken, Written
from lab.model.family import Family
from lab.model.program import Program
from lab.model.topology import two_hosts
from lab.records import Recording

pytestmark = pytest.mark.kernel


def python(code: str, name: str = "client") -> Program:
    return Program(name, "client", (sys.executable, "-IS", "-c", code))


def session(sandbox: Sandbox, use: Callable[[Control], None], trace: str = "none") -> Recording:
    scenario = session_scenario(two_hosts())
    plan = Plan(
        scenario.name, Family.IPV4, scenario.topology, scenario.steps, trace=trace, is_session=True
    )
    conversation = sandbox.converse(record_session, plan)
    control = Control(conversation)
    control.wait_until_ready()
    use(control)
    control.quit()
    return conversation.result()


def front(control: Control, program: Program) -> tuple[bytes, bytes, Ended]:
    """What a program at the front writes to stdout and stderr, and its end."""
    written = {False: b"", True: b""}
    control.start_front(program, None)
    while True:
        match control.next_of_front():
            case Written(data, is_error):
                written[is_error] += data
                control.go_on()
            case Ended() as ended:
                return written[False], written[True], ended
            case Taken():
                raise AssertionError("nothing was typed")


def test_what_a_program_writes_is_told_and_recorded(sandbox: Sandbox) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    def use(control: Control) -> None:
        assert front(control, python(code)) == (b"out\n", b"err\n", Ended(3))

    (run,) = session(sandbox, use).programs
    assert (run.stdout, run.stderr, run.exit_status) == ("out\n", "err\n", 3)
    assert run.failure == "exited with status 3; its stderr ends: err"


def test_all_of_much_output_is_told_and_what_is_kept_has_an_end(sandbox: Sandbox) -> None:
    much = 3 << 20

    def use(control: Control) -> None:
        out, _, ended = front(
            control, python(f"import os; os.write(1, b'x' * 9); print('y' * {much})")
        )
        assert ended == Ended(0)
        assert out == b"x" * 9 + b"y" * much + b"\n"

    (run,) = session(sandbox, use).programs
    assert len(run.stdout) == 1 << 20
    assert "more were read" in run.remark
    assert run.failure == ""


def test_a_program_that_is_not_shown_waits_for_its_reader(sandbox: Sandbox) -> None:
    """Until the caller goes on no more is said, and other requests are answered."""

    def use(control: Control) -> None:
        control.start_front(python("print('x' * 3000000)"), None)
        first = control.next_of_front()
        assert isinstance(first, Written)
        assert control.jobs() == ()
        control.interrupt()
        control.go_on()
        while not isinstance(said := control.next_of_front(), Ended):
            control.go_on()
        assert said.status in (130, 1)  # by the signal, or by Python's KeyboardInterrupt

    (run,) = session(sandbox, use).programs
    assert run.failure == ""
    assert run.remark.startswith("was sent SIGINT by the session's user")


def test_a_job_does_not_keep_the_front_waiting_and_is_ended_at_the_end(sandbox: Sandbox) -> None:
    def use(control: Control) -> None:
        job = control.start_job(python("import time; print(1, flush=True); time.sleep(99)"))
        assert isinstance(job, Job)
        assert job.number == 1
        assert front(control, python("print(2)", "client-2"))[0] == b"2\n"
        new = job.new
        while not new:
            ((_, pid, name, status, new),) = control.jobs()
            assert (pid, name, status) == (job.pid, "client", None)
        assert new == b"1\n"
        assert control.jobs()[0].new == b""

    first, _ = session(sandbox, use).programs
    assert first.exit_status == -15
    assert first.remark == "went on, and was ended by SIGTERM when the session ended"
    assert first.failure == ""


def test_a_job_can_be_ended_once(sandbox: Sandbox) -> None:
    def use(control: Control) -> None:
        control.start_job(python("import time; time.sleep(99)"))
        assert not control.end_job(2)
        assert control.end_job(1)
        while control.jobs()[0].status is None:
            pass
        assert control.jobs()[0].status == 128 + 15
        assert not control.end_job(1)

    (run,) = session(sandbox, use).programs
    assert run.remark == "was ended by the session's user"


def test_a_program_that_there_is_not(sandbox: Sandbox) -> None:
    def use(control: Control) -> None:
        program = Program("client", "client", ("no-such-program",))
        _, _, ended = front(control, program)
        assert ended.status == 127
        assert "no-such-program: No such file" in ended.failure
        assert isinstance(control.start_job(replace(program, name="client-2")), Ended)

    first, second = session(sandbox, use).programs
    assert first.exit_status == second.exit_status == 127


def test_what_a_program_leaves_running_is_ended(sandbox: Sandbox) -> None:
    code = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(99)\nprint('gone')\n"
    )

    def use(control: Control) -> None:
        assert front(control, python(code))[0] == b"gone\n"

    assert len(session(sandbox, use).programs) == 1


def test_a_session_without_programs_is_a_recording(sandbox: Sandbox) -> None:
    recording = session(sandbox, lambda _: None)
    assert recording.programs == ()
    assert recording.canaries


def test_programs_are_traced_one_by_one(sandbox: Sandbox) -> None:
    code = "import socket; s = socket.socket(); s.close()"

    def use(control: Control) -> None:
        for number in range(3):
            assert front(control, python(code, f"client-{number}"))[2] == Ended(0)

    calls = session(sandbox, use, "auto").trace.syscalls
    assert {call.program for call in calls if call.name == "socket"} == {
        f"client-{number}" for number in range(3)
    }


def test_the_caller_that_goes_away_ends_the_session(sandbox: Sandbox) -> None:
    def use(control: Control) -> None:
        control.start_job(python("import time; time.sleep(99)"))
        sandbox.end()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        session(sandbox, use)
    sandbox.close()
    with pytest.raises((InstrumentError, OSError)):
        sandbox.call(sum, (1,))
