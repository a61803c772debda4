from __future__ import annotations

from dataclasses import replace

import pytest
import recorded as r
from expected import as_it_was, verdict

from lab.errors import UsageError
from lab.expect import calls
from lab.expect.expectation import Expectation
from lab.expect.subject import subject_of_file
from lab.model.claim import Outcome
from lab.records import Recording

HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED


def with_lost_events(recording: Recording) -> Recording:
    return replace(recording, trace=replace(recording.trace, lost=3))


@pytest.mark.parametrize(
    ("expectation", "outcome"),
    [
        (calls.never_calls("server", "shutdown"), HOLDS),
        (calls.never_calls("client", "shutdown"), BROKEN),
        (calls.never_calls("", "shutdown"), BROKEN),
        (calls.never_calls("", "recvmmsg"), HOLDS),
        (calls.makes_call("client", "connect"), HOLDS),
        (calls.makes_call("client", "connect", 1), HOLDS),
        (calls.makes_call("client", "connect", 2), BROKEN),
        (calls.makes_call("client", "accept"), BROKEN),
        (calls.makes_call("server", "accept"), HOLDS),
        (calls.makes_call("client", "send"), HOLDS),
        (calls.returns_within("", "connect", 60_000), HOLDS),
        (calls.returns_within("", "connect", 0.000_01), BROKEN),
        (calls.returns_within("server", "connect", 1), UNDECIDED),
        (calls.never_calls("nobody", "shutdown"), UNDECIDED),
        (calls.exits("server", 0), HOLDS),
        (calls.exits("server", 3), BROKEN),
        (calls.exits("nobody", 0), UNDECIDED),
        (calls.prints("client", "connect("), HOLDS),
        (calls.prints("client", "good bye"), BROKEN),
        (calls.prints("nobody", ""), UNDECIDED),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_calls_and_ends_of_programs(expectation: Expectation, outcome: Outcome) -> None:
    found = verdict(expectation, "traced-tcp4")
    assert found.outcome is outcome, found
    assert bool(found.compared) is (outcome is BROKEN)


@pytest.mark.parametrize("edit", [with_lost_events, r.both(r.without())])
def test_calls_that_were_not_all_traced_decide_nothing(edit: r.Edit) -> None:
    name = "traced-tcp4" if edit is with_lost_events else "tcp4"
    for expectation in (
        calls.never_calls("server", "shutdown"),
        calls.makes_call("client", "connect"),
        calls.returns_within("", "connect", 5),
    ):
        assert verdict(expectation, name, edit).outcome is UNDECIDED


def test_how_programs_end_needs_no_capture() -> None:
    assert verdict(calls.exits("server", 0), "tcp4", r.incomplete).outcome is HOLDS


def test_a_program_that_a_signal_ended_is_said_so() -> None:
    def killed(recording: Recording) -> Recording:
        server, client = recording.programs
        ended = replace(client, exit_status=-9, stderr="a\nlast words\n")
        return replace(recording, programs=(server, ended))

    found = verdict(calls.exits("client", 0), "tcp4", killed)
    assert [each.actual for each in found.compared] == ["signal 9", "last words"]
    assert verdict(calls.exits("client", -9), "tcp4", killed).outcome is HOLDS
    assert verdict(calls.exits("client", 0), "tcp4", as_it_was).outcome is HOLDS


def test_a_call_that_is_not_traced_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'shutdown'"):
        calls.never_calls("server", "shutdwon")
    with pytest.raises(UsageError, match="fork"):
        calls.makes_call("server", "fork")


def test_a_file_has_no_calls() -> None:
    file = subject_of_file((), (), (), "")
    assert calls.never_calls("", "close").found([file]).outcome is UNDECIDED
