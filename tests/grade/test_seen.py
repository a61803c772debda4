from __future__ import annotations

from collections.abc import Callable

import pytest
from tried import one_client, seen_in

from lab.errors import UsageError
from lab.grade.seen import Blame, NothingSeen, Seen


def test_what_a_trial_returned_and_its_run_can_be_asked() -> None:
    seen = seen_in(one_client, 7)
    assert (seen.value, seen.failure, seen.has_run, seen.refused) == (7, "", True, False)
    seen.run.tcp().handshake()
    assert seen.program().name == "server" and seen.program("client").exit_status == 0
    assert [each.name for each in seen.submissions] == ["server"]
    with pytest.raises(UsageError, match="no program 'nobody'; it has"):
        seen.program("nobody")


def test_it_knows_whether_it_has_been_asked() -> None:
    seen = seen_in(one_client, 7)
    assert not seen.has_been_asked
    asks: list[Callable[[], object]] = [lambda: seen.value, seen.run.no_reset, seen.program]
    for ask in asks:
        seen.forget()
        assert not seen.has_been_asked
        ask()
        assert seen.has_been_asked


def test_a_trial_that_failed_has_no_value_but_its_run() -> None:
    seen = seen_in(one_client, 7, blame=Blame.SUBMISSION)
    assert seen.failure == "the submission's fault"
    assert seen.run.tcp() is not None
    with pytest.raises(NothingSeen, match="submission's fault"):
        _ = seen.value
    none = Seen(one_client, None)
    assert not none.has_run and none.submissions == []
    with pytest.raises(NothingSeen, match="has no run"):
        _ = none.run
