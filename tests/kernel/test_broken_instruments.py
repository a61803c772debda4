"""Instruments that break while they record, or that the kernel refuses: the run names them.

No claim that rests on one is decided. What breaks is real: a ring that is full, a socket that is
closed, a trace buffer that overruns, a call that a seccomp filter refuses.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import denied
import inside_broken
import pytest
from ad_hoc_run import ASK, CANNOT, CONVERSE
from step_programs import python

from lab.ad_hoc import recorded_scenario
from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge
from lab.errors import LabError, MachineError
from lab.kernel.capture.capturing import Capturing
from lab.kernel.plan import Plan
from lab.kernel.recorder import record
from lab.kernel.sandbox.sandbox import Sandbox
from lab.model.claim import Outcome
from lab.model.family import Family
from lab.model.program import Step
from lab.model.topology import two_hosts
from lab.records import InstrumentKind, Recording

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("forked_sandboxes")]

SEND_ALL = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(8_000):
    s.sendto(b"counted", ("198.51.100.2", 9))
"""


def plan(code: str, trace: str) -> Plan:
    steps = (Step("ad-hoc", (python(code),)),)
    return Plan("ad-hoc", Family.IPV4, two_hosts(), steps, trace=trace)


def nothing_decided(recording: Recording) -> tuple[str, ...]:
    """Why the capture of its step proves nothing; no claim of an ad-hoc run is decided by it."""
    (timeline,) = build_timelines(recording)
    judgements = judge(recorded_scenario().claims, [timeline])
    assert {each.verdict.outcome for each in judgements} <= {Outcome.UNDECIDED, Outcome.SKIPPED}
    return timeline.bracket.incomplete


def test_frames_that_a_full_ring_lost_leave_every_claim_undecided(sandbox: Sandbox) -> None:
    recording = sandbox.call(inside_broken.record_unwritten, plan(SEND_ALL, "none"))
    assert sum(point.dropped for point in recording.points) > 0
    assert any("dropped" in why for why in nothing_decided(recording))


def test_a_killed_process_that_writes_frames_leaves_every_claim_undecided(
    sandbox: Sandbox,
) -> None:
    recording = sandbox.call(inside_broken.record_and_kill_writer, plan(SEND_ALL, "none"))
    assert "the process that writes the captured frames to disk was killed" in nothing_decided(
        recording
    )
    # What was in the rings then is in the recording all the same, once.
    for point in recording.points:
        kept = [frame for frame in recording.frames if frame.point == point.name]
        assert len(kept) + point.dropped == point.frames


def test_a_full_disk_leaves_every_claim_undecided(sandbox: Sandbox) -> None:
    recording = sandbox.call(inside_broken.record_on_full_disk, plan(SEND_ALL, "none"))
    assert any("could not be written to disk: EFBIG" in why for why in nothing_decided(recording))


def test_captures_that_ended_early_leave_every_claim_undecided(sandbox: Sandbox) -> None:
    short = replace(plan(SEND_ALL, "none"), capturing=Capturing(max_frames=1000))
    recording = sandbox.call(record, short)
    assert len(recording.frames) == 1000
    assert nothing_decided(recording)[0] == "the captures ended after 1000 frames, as was asked"


def test_a_capture_whose_socket_is_lost_is_named_in_one_line(sandbox: Sandbox) -> None:
    with pytest.raises(LabError) as lost:
        sandbox.call(inside_broken.record_until_come, plan(SEND_ALL, "none"))
    assert "client/eth0: ENOTSOCK" in str(lost.value)
    assert "\n" not in str(lost.value)


@pytest.mark.usefixtures("needs_bpf")
def test_records_that_a_full_ring_lost_leave_every_claim_undecided(sandbox: Sandbox) -> None:
    recording = sandbox.call(inside_broken.record_with_a_small_ring, plan(SEND_ALL, "bpf"))
    assert recording.trace.lost > 0
    assert any("lost" in why for why in nothing_decided(recording))


REFUSED = "load the BPF program wirelab_sys_enter: E"


@pytest.mark.usefixtures("needs_bpf", "needs_ptrace")
def test_where_a_program_is_refused_that_no_probe_tried_ptrace_traces_and_the_run_says_so(
    sandbox: Sandbox,
) -> None:
    of_one = plan("import os; os.close(os.open('/', os.O_RDONLY)); os.pipe()", "auto")
    recording = sandbox.call(inside_broken.record_with_a_refused_program, of_one)
    (said,) = (
        each.text for each in recording.instruments if each.kind is InstrumentKind.TRACEPOINTS
    )
    assert said.startswith(f"not used (bpf: {REFUSED}")
    (calls,) = (each for each in recording.instruments if each.kind is InstrumentKind.CALLS)
    assert "ptrace" in calls.text
    assert [call.name for call in recording.trace.syscalls] == ["pipe2"]
    assert not recording.disturbances


@pytest.mark.usefixtures("needs_bpf")
def test_where_bpf_was_asked_for_its_refusal_is_an_error_of_one_line(sandbox: Sandbox) -> None:
    asked = plan("pass", "bpf")
    with pytest.raises(MachineError) as error:
        sandbox.call(inside_broken.record_with_a_refused_program, asked)
    message = str(error.value)
    assert message.startswith(f"cannot trace with bpf: {REFUSED}")
    assert message.endswith("; --trace auto takes another")
    assert "\n" not in message


def run_without(
    call: tuple[str, ...], out: Path, server: str, client: str, trace: str
) -> subprocess.CompletedProcess[str]:
    """`wirelab run` where the kernel refuses that call to all that takes part in it."""
    lab = (sys.executable, "-P", "-m", "lab", "run", "--server", server, "--client", client)
    return subprocess.run(
        [sys.executable, denied.__file__, *call, "--", *lab, "--trace", trace, "--out", out, "-v"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def command(code: str) -> str:
    return shlex.join((sys.executable, "-IS", "-c", code.strip()))


def report_of(out: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((out / "ad-hoc" / "latest" / "report.json").read_text())
    return loaded


def test_without_packet_sockets_there_is_no_run_and_a_line_says_so(tmp_path: Path) -> None:
    family = str(int(socket.AF_PACKET))
    done = run_without(("socket", family), tmp_path, command(CONVERSE), command(ASK), "auto")
    assert done.returncode == CANNOT
    (line,) = done.stderr.splitlines()
    assert "cannot open a raw capture socket in namespace client: EPERM" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("needs_ptrace")
@pytest.mark.parametrize("call", ["ptrace", "seccomp"])
def test_without_ptrace_there_is_no_run_that_asks_for_it(tmp_path: Path, call: str) -> None:
    done = run_without((call,), tmp_path, command(CONVERSE), command(ASK), "ptrace")
    assert done.returncode == CANNOT
    (line,) = done.stderr.splitlines()
    assert line.startswith("wirelab: cannot trace with ptrace: ")
    assert f"{call}: " in line
    assert "--trace auto takes another" in line


@pytest.mark.usefixtures("needs_ptrace")
@pytest.mark.skipif(os.geteuid() == 0, reason="root traces by BPF")
def test_without_any_tracer_claims_about_calls_are_skipped_and_name_it(tmp_path: Path) -> None:
    done = run_without(("ptrace",), tmp_path, command(CONVERSE), command(ASK), "auto")
    assert done.returncode == 0, done.stdout
    verdicts = {each["id"]: each["verdict"] for each in report_of(tmp_path)["claims"]}
    assert verdicts["ad-hoc-opens"] == "HOLDS"
    assert verdicts["ad-hoc-connect"] == verdicts["ad-hoc-stream-bytes"] == "SKIPPED"
    assert "ptrace: EPERM" in " ".join(done.stdout.split())


SEND_TWO = """
import ctypes, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("{server}", {port}))
texts = [ctypes.create_string_buffer(text, len(text)) for text in (b"one", b"three")]
vectors = [
    ctypes.create_string_buffer(struct.pack("@PN", ctypes.addressof(text), len(text)))
    for text in texts
]
headers = b"".join(
    struct.pack("@PIPNPNiI4x", 0, 0, ctypes.addressof(vector), 1, 0, 0, 0, 0)
    for vector in vectors
)
print(libc.sendmmsg(s.fileno(), ctypes.create_string_buffer(headers), 2, 0))
"""
TAKE_TWO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", {port}))
print(s.recv(100), s.recv(100))
"""


@pytest.mark.usefixtures("needs_bpf", "needs_ptrace")
def test_without_bpf_root_is_traced_by_ptrace(tmp_path: Path) -> None:
    programs = command(TAKE_TWO), command(SEND_TWO)
    done = run_without(("bpf",), tmp_path, *programs, "auto")
    report = report_of(tmp_path)
    (calls,) = (each for each in report["instruments"] if each["kind"] == "calls")
    assert "ptrace" in calls["text"]
    verdicts = {each["id"]: each["verdict"] for each in report["claims"]}
    assert verdicts["ad-hoc-datagram-bytes"] == "HOLDS", done.stdout
    assert "BROKEN" not in verdicts.values()


@pytest.mark.usefixtures("needs_bpf")
def test_without_bpf_there_is_no_run_that_asks_for_it(tmp_path: Path) -> None:
    done = run_without(("bpf",), tmp_path, command(TAKE_TWO), command(SEND_TWO), "bpf")
    assert done.returncode == CANNOT
    (line,) = done.stderr.splitlines()
    assert line.startswith("wirelab: cannot trace with bpf: load the BPF program wirelab_probe: ")
    assert "EPERM" in line
    assert "--trace auto takes another" in line


@pytest.mark.usefixtures("needs_bpf")
def test_bpf_needs_no_ptrace(tmp_path: Path) -> None:
    done = run_without(("ptrace",), tmp_path, command(TAKE_TWO), command(SEND_TWO), "bpf")
    verdicts = {each["id"]: each["verdict"] for each in report_of(tmp_path)["claims"]}
    assert verdicts["ad-hoc-datagram-bytes"] == "HOLDS", done.stdout
