"""What programs do to the run itself: it is recorded, with those that may have done it."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import replace

import pytest
from step_programs import HANG, READY, python

from lab.analysis.assembly import build_timelines
from lab.errors import InstrumentError
from lab.kernel.confinement import Confined
from lab.kernel.disturbers import Disturbers
from lab.kernel.plan import Plan
from lab.kernel.programs.confinement import Confinement, Identity
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.sandbox.view import Files
from lab.model.family import Family
from lab.model.program import Program, Step
from lab.model.topology import two_hosts
from lab.records import RanAs, Recording

ALONE = Step("alone", (python("", "a"), python("", "b", host="server")))
NOBODY = Identity("nobody", 65534, 65534, (), "/")


def confined(*capabilities: str, identity: Identity | None = None) -> Disturbers:
    disturbers = Disturbers(Confinement(identity, capabilities, "/", None))
    disturbers.add(ALONE)
    return disturbers


def test_those_that_may_configure_the_hosts_network_are_named() -> None:
    disturbers = confined("CAP_NET_ADMIN")
    assert disturbers.of_network(ALONE, ["server"], "it is down").programs == ("b",)
    assert disturbers.of_network(ALONE, ["server", "client"], "gone").programs == ("a", "b")


def test_what_no_program_may_do_is_an_error_of_the_lab() -> None:
    disturbers = confined()
    with pytest.raises(InstrumentError, match="it is down; no program of the run is allowed"):
        disturbers.of_network(ALONE, ["server"], "it is down")
    with pytest.raises(InstrumentError, match="no program"):
        Disturbers(None).of_network(ALONE, ["server"], "it is down")  # before they are started
    with pytest.raises(InstrumentError, match="no program"):
        confined(identity=NOBODY).of_processes(ALONE, "the tracer was killed")


def test_programs_of_the_labs_own_user_or_with_the_capability_may_signal_it() -> None:
    assert confined().of_processes(ALONE, "killed").programs == ("a", "b")
    assert confined("CAP_KILL", identity=NOBODY).of_processes(ALONE, "x").programs == ("a", "b")


def test_whoever_may_unmount_is_named_and_all_where_nobody_may() -> None:
    able = replace(ALONE.programs[1], capabilities=("CAP_SYS_ADMIN",))
    disturbers = Disturbers(Confinement(None, (), "/", None))
    disturbers.add(Step("alone", (ALONE.programs[0], able)))
    assert disturbers.of_files(ALONE, "/proc was unmounted").programs == ("b",)
    assert confined().of_files(ALONE, "/x was unmounted").programs == ("a", "b")


def test_a_capability_of_one_program_is_that_programs() -> None:
    able = replace(ALONE.programs[1], capabilities=("CAP_NET_ADMIN",))
    disturbers = Disturbers(Confinement(None, (), "/", None))
    disturbers.add(Step("alone", (ALONE.programs[0], able)))
    assert disturbers.of_network(ALONE, ["server", "client"], "gone").programs == ("b",)


VIEW = Files((), shown=tuple({sys.prefix, sys.base_prefix}))
ADMIN = ("CAP_NET_ADMIN", "CAP_NET_RAW")
# netdevice(7): SIOCSIFFLAGS, SIOCSIFMTU.
DOWN = """
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"before", ("198.51.100.1", 9))
fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"eth0", 0))
"""
MTU = """
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8922, struct.pack("16si12x", b"eth0", 9000))
s.sendto(bytes(5000), ("198.51.100.1", 9))
"""
# rtnetlink(7): RTM_DELLINK, acknowledged.
DELETE = """
import socket, struct
index = socket.if_nametoindex("eth0")
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.send(struct.pack("=IHHIIBxHiII", 32, 17, 5, 1, 0, 0, 0, index, 0, 0))
assert struct.unpack_from("=i", s.recv(4096), 16) == (0,)
"""
UNMOUNT = """
import ctypes, os
assert ctypes.CDLL(None).umount2(b"/proc", 2) == 0
print(os.readlink("/proc/self") == str(os.getpid()))
"""


def done_by(
    sandbox: Sandbox,
    code: str,
    *others: Program,
    capabilities: tuple[str, ...] = ADMIN,
    trace: str = "none",
    more: tuple[Step, ...] = (),
) -> Recording:
    """What a run records whose first program, on the host `server`, does that."""
    breaker = replace(python(code, "breaker", host="server"), capabilities=capabilities)
    steps = (Step("broken", (breaker, *others)), *more)
    return sandbox.call(record, Plan("t", Family.IPV4, two_hosts(), steps, trace=trace))


@pytest.mark.kernel
def test_an_interface_taken_down_is_recorded_with_its_program(sandbox: Sandbox) -> None:
    recording = done_by(sandbox, DOWN, python("print('here')"))
    (found,) = recording.disturbances
    assert (found.step, found.programs) == ("broken", ("breaker",))
    assert found.what == "cannot send a frame on server/eth0: ENETDOWN (Network is down)"
    assert [run.failure for run in recording.programs] == ["", ""]
    assert any(b"before" in frame.data for frame in recording.frames)
    (timeline,) = build_timelines(recording)
    assert timeline.failures == (f"program breaker disturbed the run: {found.what}",)
    assert "no closing canary was sent at server/eth0" in timeline.bracket.incomplete
    assert found.what in timeline.bracket.incomplete
    # Every frame that was counted is there, down or not.
    assert not [why for why in timeline.bracket.incomplete if "counted" in why]


@pytest.mark.kernel
def test_an_interface_deleted_may_be_the_work_of_either_end(sandbox: Sandbox) -> None:
    other = replace(python("print('here')", "other"), capabilities=ADMIN)
    then = Step("then", (python("print('still')", "third"),))
    recording = done_by(sandbox, DELETE, other, more=(then,))
    first, second = recording.disturbances
    assert (first.step, first.programs) == ("broken", ("breaker", "other"))
    assert "client/eth0: ENODEV" in first.what and "server/eth0: ENODEV" in first.what
    assert second.step == "then" and set(second.programs) >= {"breaker", "other"}
    assert [run.stdout for run in recording.programs] == ["", "here\n", "still\n"]
    assert len(build_timelines(recording)) == 2


# netdevice(7): SIOCSIFFLAGS, SIOCSIFADDR; rtnetlink(7): RTM_DELROUTE, acknowledged.
LOST = {
    "lo was taken down": """
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 0))
""",
    "the address 198.51.100.2/24 of eth0 was removed": """
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8916, struct.pack("16sHH4s8x", b"eth0", socket.AF_INET, 0, bytes(4)))
""",
    "1 route removed": """
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.send(struct.pack("=IHHII8BIHH4s", 36, 25, 5, 1, 0, 2, 24, 0, 0, 254, 0, 255, 0, 0,
                   8, 1, socket.inet_aton("198.51.100.0")))
assert struct.unpack_from("=i", s.recv(4096), 16) == (0,)
""",
    # ip-rule(8): RTM_DELRULE of the one at 32766.
    "1 rule for routing removed": """
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.send(struct.pack("=IHHII8BIHHI", 36, 33, 5, 1, 0, 2, 0, 0, 0, 254, 0, 0, 1, 0, 8, 6, 32766))
assert struct.unpack_from("=i", s.recv(4096), 16) == (0,)
""",
    # tc(8): RTM_NEWQDISC, pfifo at the root; include/uapi/linux/pkt_sched.h.
    "traffic control of eth0 was changed": """
import socket, struct
index = socket.if_nametoindex("eth0")
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
kind = struct.pack("=HH6sxx", 10, 1, b"pfifo")
s.send(struct.pack("=IHHIIBxxxiIII", 48, 36, 0x405, 1, 0, 0, index, 0, 0xFFFFFFFF, 0) + kind)
assert struct.unpack_from("=i", s.recv(4096), 16) == (0,)
""",
    # include/uapi/linux/netfilter/nf_tables.h: NFT_MSG_NEWTABLE in a batch.
    "the packet filter was changed": """
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
begin, end = (struct.pack("=IHHIIBBH", 20, kind, 1, 0, 0, 0, 0, 10 << 8) for kind in (16, 17))
table = struct.pack("=IHHIIBBHHH4s", 28, 10 << 8, 0x405, 1, 0, 2, 0, 0, 6, 1, b"t")
s.send(begin + table + end)
answer = s.recv(4096)
assert struct.unpack_from("=i", answer, 16) == (0,), answer
""",
}


@pytest.mark.kernel
@pytest.mark.parametrize("what", LOST)
def test_what_a_hosts_network_has_lost_is_said_and_blinds_nobody(
    sandbox: Sandbox, what: str
) -> None:
    who = RanAs("", 0, ADMIN, (), (), host_files=True)
    confined = Confined(None, ADMIN, "/", None, who)
    program = python(LOST[what], "breaker", host="server")
    steps = (Step("broken", (program, python("print(1)"))), Step("then", (python("", "third"),)))
    plan = Plan("t", Family.IPV4, two_hosts(), steps, trace="none", confined=confined)
    recording = sandbox.call(record, plan)
    assert [run.failure for run in recording.programs] == ["", "", ""]
    (found,) = recording.disturbances
    assert (found.step, found.programs, found.blinds) == ("broken", ("breaker",), False)
    assert found.what == f"on host server, {what}"
    broken, then = build_timelines(recording)
    assert broken.failures == (f"program breaker disturbed the run: {found.what}",)
    assert broken.bracket.incomplete == then.failures == ()


@pytest.mark.kernel
def test_frames_above_the_links_mtu_are_whole(sandbox: Sandbox) -> None:
    recording = done_by(sandbox, MTU)
    assert {frame.wire_bytes - len(frame.data) for frame in recording.frames} == {0}
    assert ("server/eth0", 5042) in {(frame.point, len(frame.data)) for frame in recording.frames}
    (timeline,) = build_timelines(recording)
    assert timeline.bracket.incomplete == ()


@pytest.mark.kernel
def test_what_a_program_unmounts_the_lab_and_the_next_program_have(sandbox: Sandbox) -> None:
    look = python("import os; print(os.readlink('/proc/self') == str(os.getpid()))", "next")
    recording = done_by(sandbox, UNMOUNT, look, capabilities=("CAP_SYS_ADMIN",))
    assert [(run.stdout, run.failure) for run in recording.programs] == [
        ("False\n", ""),
        ("True\n", ""),
    ]
    assert recording.disturbances == ()


@pytest.mark.kernel
@pytest.mark.parametrize("files", [None, VIEW], ids=["host-files", "view"])
def test_what_programs_lose_of_their_mounts_is_said_and_the_lab_has_its_own(
    sandbox: Sandbox, files: Files | None
) -> None:
    able = ("CAP_SYS_ADMIN",)
    confined = Confined(None, (), "/", files, RanAs("", 0, able, (), (), files is None))
    breaker = replace(python(UNMOUNT, "breaker"), capabilities=able)
    steps = (Step("broken", (breaker, python("print(1)"))), Step("then", (python("", "third"),)))
    plan = Plan("t", Family.IPV4, two_hosts(), steps, trace="auto", confined=confined)
    recording = sandbox.call(record, plan)
    (found,) = recording.disturbances
    assert (found.step, found.programs, found.blinds) == ("broken", ("breaker",), False)
    assert found.what == "/proc was unmounted"
    assert [run.failure for run in recording.programs] == ["", "", ""]
    broken, then = build_timelines(recording)
    assert broken.failures == ("program breaker disturbed the run: /proc was unmounted",)
    assert broken.bracket.incomplete == then.failures == ()


@pytest.mark.kernel
@pytest.mark.parametrize("trace", ["auto", "ptrace"])
def test_killing_everybody_ends_the_trace_and_not_the_run(sandbox: Sandbox, trace: str) -> None:
    code = "import os, signal\nprint('mine', flush=True)\n" + READY + "os.kill(-1, signal.SIGKILL)"
    other = replace(python(READY + HANG, "other", ready=True))
    then = Step("then", (python("print('still')", "third"),))
    steps = (Step("broken", (other, python(code.replace(READY, ""), "breaker"))), then)
    recording = sandbox.call(record, Plan("t", Family.IPV4, two_hosts(), steps, trace=trace))
    other_run, breaker, third = recording.programs
    assert other_run.exit_status == -signal.SIGKILL
    assert (breaker.stdout, third.stdout) == ("mine\n", "still\n")
    found = recording.disturbances[0]
    assert (found.step, found.programs) == ("broken", ("other", "breaker"))
    assert "was killed by SIGKILL" in found.what


@pytest.mark.kernel
@pytest.mark.parametrize("trace", ["auto", "ptrace"])
def test_stopping_everybody_ends_by_the_deadline(sandbox: Sandbox, trace: str) -> None:
    """The tracers, which would have to see the programs' ends, are stopped as well."""
    code = "import os, signal\nos.kill(-1, signal.SIGSTOP)\nprint('done', flush=True)"
    other = python(READY + HANG, "other", ready=True, deadline_s=1)
    steps = (Step("stopped", (other, python(code, "stopper"))),)
    began = time.monotonic()
    recording = sandbox.call(record, Plan("t", Family.IPV4, two_hosts(), steps, trace=trace))
    assert time.monotonic() - began < 10
    other_run, stopper = recording.programs
    assert other_run.failure.startswith("had not ended 1 s after its start")
    assert (stopper.stdout, stopper.failure) == ("done\n", "")
    assert recording.disturbances == ()
    assert {call.program for call in recording.trace.syscalls} <= {"other", "stopper"}
