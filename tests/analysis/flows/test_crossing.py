from __future__ import annotations

from dataclasses import replace

import pytest
from event_ids import event
from transcript import crossings

(SEEN,) = crossings("0.1 client > server SYN seq=1 recv=0.25")


def test_a_crossing_is_named_by_its_number() -> None:
    assert replace(SEEN, number=7).id == event("f7")


def test_its_time_is_when_it_was_first_seen() -> None:
    assert SEEN.time_ns == 100_000_000
    assert replace(SEEN, sent_ns=None).time_ns == 250_000_000


def test_it_is_lost_where_it_was_not_seen_arriving() -> None:
    assert replace(SEEN, received_ns=None).lost
    assert not SEEN.lost and not replace(SEEN, sent_ns=None).lost


def test_what_nobody_saw_is_no_crossing() -> None:
    with pytest.raises(AssertionError):
        _ = replace(SEEN, sent_ns=None, received_ns=None).time_ns
