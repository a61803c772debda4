"""A session asked directly: what programs write, wait for and leave."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from lab.ad_hoc import session_scenario
from lab.analysis.assembly import build_timelines
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


def send(*numbers: int) -> Program:
    """Sends a datagram of each number to nobody in particular.

    It ends when they have left: until the neighbour is known, arp(7), they wait.
    """
    code = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in {numbers}:
    s.sendto(b"x" * number, ("198.51.100.2", 4242))
until = time.monotonic() + 5
while " 0x2 " not in open("/proc/net/arp").read() and time.monotonic() < until:
    time.sleep(0.001)
"""
    return python(code, f"client-{numbers[0]}")


def arrived(recording: Recording) -> set[int]:
    """The lengths of UDP payloads that arrived at the server."""
    frames = [f for f in recording.frames if f.point == "server/eth0" and f.direction.name == "IN"]
    udp = [f for f in frames if f.data[12:14] == b"\x08\x00" and f.data[23] == 17]
    return {len(f.data) - 42 for f in udp}


def test_a_rule_strikes_from_the_moment_when_it_is_set_until_it_ends(sandbox: Sandbox) -> None:
    def use(control: Control) -> None:
        front(control, send(100, 101))
        assert control.set_rule("client>server drop udp from 2") == ""
        front(control, send(102, 103, 104))
        assert control.rules() == (("client>server drop udp from 2", 2),)
        assert control.stop_rules("server>client") == 0
        assert control.stop_rules("client-server") == 1
        assert control.rules() == ()
        front(control, send(105))

    recording = session(sandbox, use)
    assert arrived(recording) == {100, 101, 102, 105}
    (rule,) = recording.wire_rules
    assert (rule.text, rule.matched, rule.strikes) == ("client>server drop udp from 2", 2, 2)
    assert len(recording.wire_strikes) == 2
    assert {strike.rule for strike in recording.wire_strikes} == {0}


def test_a_cable_is_cut_and_joined_again(sandbox: Sandbox) -> None:
    def use(control: Control) -> None:
        front(control, send(99))  # now the neighbour is known
        assert control.set_rule("client-server down") == ""
        front(control, send(100))
        assert control.set_rule("client-server up") == ""
        front(control, send(101))

    recording = session(sandbox, use)
    assert arrived(recording) == {99, 101}
    assert [(rule.action, rule.matched) for rule in recording.wire_rules] == [
        ("down", 1),
        ("up", 1),
    ]


def test_a_wrong_rule_is_said_and_sets_none(sandbox: Sandbox) -> None:
    def use(control: Control) -> None:
        assert "no link of the network" in control.set_rule("client>h1 drop")
        assert "bpf" in control.set_rule("client>server drop bpf 'nonsense ('")
        assert control.rules() == ()
        assert control.set_rule("client>server drop bpf 'udp'") == ""
        front(control, send(100))

    assert arrived(session(sandbox, use)) == set()


def test_what_was_observed_so_far_is_a_recording(sandbox: Sandbox) -> None:
    def use(control: Control) -> None:
        control.set_rule("client>server drop udp 1")
        front(control, send(100, 101))
        control.start_job(python("import time; time.sleep(99)"))
        so_far = control.so_far()
        assert isinstance(so_far, Recording)
        assert arrived(so_far) == {101}
        assert [strike.is_end for strike in so_far.wire_strikes] == [True]
        assert [run.name for run in so_far.programs] == ["client-100", "client"]
        (timeline,) = build_timelines(so_far)
        udp = [each for each in timeline.crossings if each.packet.udp]
        assert [each.received_ns is None for each in udp] == [True, False]
        front(control, send(102))

    recording = session(sandbox, use)
    assert arrived(recording) == {101, 102}
    assert len(recording.wire_strikes) == 1
    assert [run.exit_status for run in recording.programs] == [0, -15, 0]


def test_what_programs_write_to_their_key_logs_is_recorded(sandbox: Sandbox) -> None:
    code = "import os; open(os.environ['SSLKEYLOGFILE'], 'a').write('CLIENT_RANDOM {} 00\\n')"

    def use(control: Control) -> None:
        front(control, python(code.format("aa"), "client"))
        control.start_job(python(code.format("bb"), "client-2"))
        while control.jobs()[0].status is None:
            pass

    logs = session(sandbox, use).key_logs
    assert [(each.program, each.text) for each in logs] == [
        ("client", "CLIENT_RANDOM aa 00\n"),
        ("client-2", "CLIENT_RANDOM bb 00\n"),
    ]
