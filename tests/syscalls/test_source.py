from __future__ import annotations

from system_calls import decoded

from lab.records import LineUse, Syscall
from lab.syscalls.source import used, uses_of


def use(line: int, entry: int, end: int | None, tid: int = 1, program: str = "client") -> LineUse:
    return LineUse(program, tid, line, entry, end)


def lines(uses: list[LineUse], *calls: int, tid: int = 1) -> list[int | None]:
    """The lines of calls that were made at those times."""
    made = [decoded(n, "send", (at, at + 1), tid=tid) for n, at in enumerate(calls, 1)]
    return [None if found is None else found.line for found in uses_of(made, uses)]


def test_a_call_is_made_by_the_line_that_its_thread_was_in() -> None:
    uses = [use(1, 10, 20), use(2, 30, 40)]
    assert lines(uses, 9, 10, 15, 20, 21, 30, 41) == [None, 1, 1, 1, None, 2, None]


def test_the_innermost_use_has_it() -> None:
    uses = [use(1, 10, 90), use(2, 20, 50), use(3, 30, 40), use(4, 60, 70)]
    assert lines(uses, 15, 25, 35, 45, 55, 65, 75, 95) == [1, 2, 3, 2, 1, 4, 1, None]


def test_a_use_that_never_returned_goes_on() -> None:
    assert lines([use(1, 10, None)], 5, 15, 1000) == [None, 1, 1]


def test_threads_and_programs_are_apart() -> None:
    assert lines([use(1, 10, 20)], 15, tid=2) == [None]
    assert lines([use(1, 10, 20, program="server")], 15) == [None]
    assert lines([use(1, 10, 20, tid=2), use(2, 10, 20)], 15, tid=2) == [1]


def test_neither_need_be_in_order() -> None:
    assert lines([use(2, 30, 40), use(1, 10, 20)], 35, 15) == [2, 1]


def call(at: int, step: str = "") -> Syscall:
    return Syscall("client", 1, 1, "send", (), (), at, at + 1, 0, step=step)


def test_only_the_uses_in_which_a_call_was_made_are_kept() -> None:
    uses = [use(3, 50, 60), use(1, 10, 20), use(2, 30, 40)]
    assert used([call(35), call(36), call(55)], uses) == (uses[2], uses[0])


def test_the_steps_are_apart() -> None:
    assert used([call(15, "one")], [use(1, 10, 20)]) == ()
    of_one = LineUse("client", 1, 0, 10, 20, "one")
    assert used([call(15, "one")], [of_one]) == (of_one,)


def test_what_is_kept_gives_the_calls_the_same_lines() -> None:
    uses = [use(1, 10, 90), use(2, 20, None), use(3, 30, 40), use(4, 60, 70)]
    calls = [call(at) for at in (5, 15, 35, 95)]
    assert uses_of(calls, used(calls, uses)) == uses_of(calls, uses)
