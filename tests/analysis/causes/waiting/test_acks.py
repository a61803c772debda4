"""Bytes that came again since their ACK was lost; and what is near to that."""

from __future__ import annotations

import struct

import pytest
import recorded as r
import step_edits as s
from causes_found import causes_of

from lab.records import Recording

STEP = "conversation"
DATA, ACK, LAST_ACK = 17, 18, 20
"""The server's last data of traced-tcp4, the client's ACK of it, and that of the FIN behind it."""
LATER_NS = 50_000
"""The recording goes on for that long after its last frame."""


def again(recording: Recording) -> Recording:
    """The data came once more, when all was over."""
    return r.repeated(DATA, LATER_NS)(recording)


def reported(recording: Recording) -> Recording:
    """The client's last ACK comes once more, after that, with a D-SACK of the data."""
    data = r.sightings(recording, DATA)[0].data
    (seq,) = struct.unpack_from("!I", data, r.tcp_at(data) + 4)
    option = b"\1\1\5\12" + struct.pack("!II", seq, seq + 20)

    def with_report(ack: bytes) -> bytes:
        return r.with_checksums(r.add_options(option)(ack))

    return r.repeated(LAST_ACK, LATER_NS, with_report)(recording)


def found(*edits: r.Edit) -> str | None:
    cause = causes_of("traced-tcp4", STEP, *edits).get("ack-lost")
    return None if cause is None else cause.text


def test_what_came_and_its_lost_acks_are_named() -> None:
    text = found(again, r.lost(ACK, LAST_ACK))
    assert text is not None
    assert text.startswith("f17, 20 bytes of server#")
    assert "came to client, and none of its 2 ACKs (f18 first) came back: it was last seen" in text
    assert text.endswith("sends it again 0.050 ms later (f21), although nothing of it was missing.")


def test_a_d_sack_is_named_as_the_receivers_word() -> None:
    text = found(reported, again, r.lost(ACK, LAST_ACK))
    assert text is not None
    assert text.endswith("although nothing of it was missing. client tells so by a D-SACK (f22).")


@pytest.mark.parametrize(
    "edits",
    [
        (again,),
        (again, r.lost(ACK)),
        (r.lost(ACK, LAST_ACK),),
        (again, r.lost(DATA, ACK, LAST_ACK)),
    ],
    ids=["no loss", "a later ack came", "not sent again", "it never came"],
)
def test_what_is_near_has_another_cause(edits: tuple[r.Edit, ...]) -> None:
    assert found(*edits) is None


@pytest.mark.parametrize("name", ["loss-data4", "loss-ack4", "user-timeout4", "reorder4"])
def test_no_recorded_run_has_it(name: str) -> None:
    for run in s.recording_of(name).programs:
        assert "ack-lost" not in causes_of(name, run.step)
