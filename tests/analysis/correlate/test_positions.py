from __future__ import annotations

from event_ids import event
from hypothesis import given
from hypothesis import strategies as st
from system_calls import decoded

from lab.analysis.calls.system_call import SystemCall
from lab.analysis.correlate.positions import place


def sends(*calls: tuple[int, int | None, int]) -> list[SystemCall]:
    return [decoded(n, "sendto", call[:2], moved=call[2]) for n, call in enumerate(calls, 1)]


@given(st.lists(st.integers(0, 1000)))
def test_calls_one_after_another_lie_side_by_side(sizes: list[int]) -> None:
    placed = place(sends(*[(2 * at, 2 * at + 1, size) for at, size in enumerate(sizes)]))
    ends = [0, *(each.end for each in placed)]
    assert [each.start for each in placed] == ends[:-1]
    assert ends[-1] == sum(sizes)
    assert all(each.certain and each.reached == each.end for each in placed)


def test_calls_at_the_same_time_have_come_so_far_at_least() -> None:
    first, second, third, last = place(sends((0, 1, 10), (2, 6, 5), (4, 8, 7), (8, 9, 1)))
    assert (first.certain, second.certain, third.certain, last.certain) == (
        True, False, False, True,
    )  # fmt: skip
    assert (second.reached, third.reached) == (15, 17)
    assert (last.start, last.end) == (22, 23)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(1, 9)), max_size=9))
def test_however_they_overlap_no_byte_is_lost(drawn: list[tuple[int, int, int]]) -> None:
    calls = sends(*[(entry, entry + span, size) for entry, span, size in sorted(drawn)])
    placed = place(calls)
    assert sum(each.end - each.start for each in placed) == sum(call.moved for call in calls)
    for each in placed:
        assert each.group_start <= each.start
        others = [other for other in calls if other is not each.call]
        overlaps = any(
            other.entry_ns < (each.call.exit_ns or 0) and each.call.entry_ns < (other.exit_ns or 0)
            for other in others
        )
        assert not (overlaps and each.certain)


def test_behind_a_call_whose_bytes_are_not_known_nothing_is_placed() -> None:
    first, unknown, last = sends((0, 1, 3), (2, 3, 0), (4, 5, 3))
    for name, arguments, end in (
        ("sendmmsg", {}, 3),
        ("sendto", {"flags": "MSG_OOB"}, 3),
        ("sendto", {}, None),
    ):
        call = decoded(2, name, (2, end), moved=1 if end else 0, arguments=arguments)
        assert [each.call.id for each in place([first, call, last])] == [event("client#1")]
    assert len(place([first, unknown, last])) == 2
