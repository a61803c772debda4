"""Why segments were sent again."""

from __future__ import annotations

from dataclasses import replace

import pytest
import step_edits as s
from causes_found import causes_in, causes_of

from lab.analysis.assembly import build_timelines
from lab.records import CountersSeen, Recording


@pytest.mark.parametrize(
    ("name", "step", "texts"),
    [
        (
            "loss-data4",
            "fast retransmit",
            ["1000 bytes of", ", after three duplicate ACKs."],
        ),
        (
            "loss-data4",
            "timeout",
            ["TCP of server sends it again 2 times (f50 to f51), 227 ms"],
        ),
        ("loss-data4", "tail loss probe", ["One more segment was sent again as well."]),
        ("corrupt4", "conversation", ["has corrupted it on its way"]),
        ("user-timeout4", "conversation", ["its timer doubles the wait each time it runs out, an"]),
        ("pmtu4", "told", ["1280 bytes are the most"]),
    ],
)
def test_what_was_lost_and_sent_again_is_named(name: str, step: str, texts: list[str]) -> None:
    cause = causes_of(name, step)["segment-lost"]
    assert all(text in cause.text for text in texts)
    assert len(cause.evidence) >= 3


@pytest.mark.parametrize(
    ("timeouts", "probes", "text"),
    [
        (1, 0, ", when its retransmission timer ran out"),
        (0, 1, ", as a probe: no ACK had come for so long"),
        (1, 1, ""),
    ],
)
def test_what_made_tcp_send_again_is_said_where_the_kernel_counts_one_alone(
    timeouts: int, probes: int, text: str
) -> None:
    """Of a run that the lab ended when the first copy had left."""
    run = s.recording_of("user-timeout4")
    (timeline,) = build_timelines(run)
    copy_ns = timeline.crossing_of[9].time_ns
    changes = {"TcpExtTCPTimeouts": timeouts, "TcpExtTCPLossProbes": probes}
    run = replace(
        run,
        counters=(CountersSeen("client", changes, "conversation"),),
        counter_names=tuple(changes),
        programs=tuple(replace(each, stopped_ns=copy_ns + 1) for each in run.programs),
    )
    assert f" later (f9){text}, until" in causes_in(run, "conversation")["segment-lost"].text


@pytest.mark.parametrize("name", ["traced-tcp4", "reorder4", "duplicate4", "nagle4", "routing4"])
def test_without_a_loss_there_is_no_such_cause(name: str) -> None:
    for run in s.recording_of(name).programs:
        assert "segment-lost" not in causes_of(name, run.step)


def test_a_loss_that_the_lab_makes_is_none() -> None:
    run: Recording = s.recording_of("user-timeout4")
    first_ns = min(each.started_ns for each in run.programs)
    ended = [replace(each, stopped_ns=first_ns + 1) for each in run.programs]
    assert "segment-lost" not in causes_in(replace(run, programs=tuple(ended)), "conversation")
