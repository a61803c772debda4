from __future__ import annotations

import traced_runs as t
from event_ids import event

from lab.ladder.lanes import place
from lab.ladder.model import TransferRow
from lab.ladder.transfers import transfers_of


def test_a_read_has_what_it_returned_from_its_writers_lane() -> None:
    timeline = t.unix_talk()
    to_server = TransferRow(0, 1, event("server#1"), (event("client#1"),), 7)
    to_client = TransferRow(1, 0, event("client#2"), (event("server#2"),), 1)
    assert transfers_of(timeline, place(timeline).of_call) == {
        to_server.read: to_server,
        to_client.read: to_client,
    }


def test_what_a_wire_carried_is_no_local_transfer() -> None:
    assert transfers_of(t.talk(), place(t.talk()).of_call) == {}
