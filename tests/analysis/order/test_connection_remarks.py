"""What stands in the way of a bind(); and that ordinary runs have none of these remarks."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
import step_edits as s
import trace_edits as t

from lab.analysis.assembly import build_timelines
from lab.records import Memory, Recording, Syscall

WORDS = ("Nagle", "threw away", "stays in CLOSE-WAIT", "is in its way")


def told(recording: Recording) -> list[str]:
    return [text for each in build_timelines(recording) for _, text in each.correlation.remarks]


@pytest.mark.parametrize("name", ["traced-tcp4", "traced-tcp6", "traced-udp4"])
def test_an_ordinary_run_has_none(name: str) -> None:
    texts = told(s.recording_of(name))
    assert not any(word in text for text in texts for word in WORDS)


@pytest.mark.parametrize(("other", "is_met"), [(0, True), (1, False)])
def test_a_connection_in_time_wait_is_in_the_way_of_its_port(other: int, is_met: bool) -> None:
    run = s.recording_of("traced-tcp4")
    (timeline, *_) = build_timelines(run)
    (flow,) = timeline.flows
    address = struct.pack("<H", 2) + struct.pack("!H", flow.a.port + other) + bytes(12)

    def bind(call: Syscall) -> Syscall:
        late_ns = flow.crossings[-1].time_ns + 1000
        memory = (Memory(1, "", False, address, len(address)),)
        return replace(
            call,
            name="bind",
            arguments=(9, 1, 16),
            memory=memory,
            entry_ns=late_ns,
            exit_ns=late_ns + 1,
            result=-98,
            socket="",
        )

    texts = told(t.changed("client", "socket", bind)(run))
    expected = "tcp 0 is in its way: this side of that connection is in TIME-WAIT and has port"
    assert any(text.startswith(f"{expected} {flow.a.port}") for text in texts) is is_met
