from __future__ import annotations

import itertools
from collections.abc import Callable
from ipaddress import ip_address

import pytest
import recorded as r
import run_edits as e
import step_edits as s
import trace_edits as t
from event_ids import event

from lab.analysis.assembly import build_timelines
from lab.analysis.judging import judge, overall
from lab.analysis.timeline import Timeline
from lab.checks.agreement import traces_what_is_printed
from lab.errors import UsageError
from lab.model.claim import Claim, Judgement, Outcome, Verdict, broken, holds, nothing_seen
from lab.model.event import EventId, EventKind, frame_id
from lab.records import Recording

SEEN = (event("f1"),)
SKIPPED = Verdict(Outcome.SKIPPED, "this kernel has no such thing")
UNDECIDED = Verdict(Outcome.UNDECIDED, "nothing was printed")
SEVERITY = [Outcome.HOLDS, Outcome.UNDECIDED, Outcome.BROKEN]


def judgements(*outcomes: Outcome) -> list[Judgement]:
    return [
        Judgement(
            Claim("x", "X.", "RFC 1", lambda _: broken("")),
            Verdict(outcome, "", (event("f1"),)),
            "X.",
        )
        for outcome in outcomes
    ]


def test_a_verdict_carries_its_reason_and_evidence() -> None:
    assert holds("so", [event("f1")]) == Verdict(Outcome.HOLDS, "so", (event("f1"),))
    assert broken("so", map(frame_id, (1, 2))) == Verdict(
        Outcome.BROKEN, "so", (event("f1"), event("f2"))
    )


@pytest.mark.parametrize("outcomes", [*itertools.product(Outcome, repeat=3)])
def test_the_worst_outcome_is_the_runs(outcomes: tuple[Outcome, ...]) -> None:
    told = [outcome for outcome in outcomes if outcome is not Outcome.SKIPPED]
    worst = max(told, key=SEVERITY.index, default=Outcome.HOLDS)
    assert overall(judgements(*outcomes)) is worst


def test_no_claims_hold() -> None:
    assert overall([]) is Outcome.HOLDS


@pytest.mark.parametrize("verdict", [holds("a", [event("f1")]), broken("b"), SKIPPED, UNDECIDED])
def test_a_capture_that_was_alive_leaves_a_verdict_as_it_is(verdict: Verdict) -> None:
    assert r.judge_with(lambda _: verdict, r.recorded(4)) == verdict


@pytest.mark.parametrize("verdict", [SKIPPED, UNDECIDED])
def test_an_incomplete_capture_leaves_what_is_not_decided_as_it_is(verdict: Verdict) -> None:
    assert r.judge_with(lambda _: verdict, r.incomplete(r.recorded(4))) == verdict


@pytest.mark.parametrize(
    "verdict", [holds("a", [event("f1")]), broken("b", [event("f2")]), nothing_seen("c")]
)
def test_an_incomplete_capture_decides_nothing(verdict: Verdict) -> None:
    judged = r.judge_with(lambda _: verdict, r.incomplete(r.recorded(4)))
    assert judged.outcome is Outcome.UNDECIDED
    assert judged.why.startswith("incomplete capture: the kernel dropped 1 frame at")
    assert judged.evidence == verdict.evidence


def test_what_a_check_calls_is_not_to_blame() -> None:
    def asks(timeline: Timeline) -> Verdict:
        return holds(str(ip_address("x")), ())

    with pytest.raises(UsageError, match=rf"fails at {__file__}, line \d+: ValueError: 'x'"):
        r.judge_with(asks, r.recorded(4))


def test_a_check_that_fails_itself_is_its_authors_error() -> None:
    def fails(timeline: Timeline) -> Verdict:
        return holds(str(timeline.conversations[99]), ())

    with pytest.raises(UsageError, match=rf"of x fails at {__file__}, line \d+: IndexErr"):
        r.judge_with(fails, r.recorded(4))
    assert r.judge_with(fails, r.incomplete(r.recorded(4))).outcome is Outcome.UNDECIDED
    with pytest.raises(UsageError, match=r"the check of x \(.*\) returns None"):
        r.judge_with(lambda _: None, r.recorded(4))  # type: ignore[arg-type, return-value]
    with pytest.raises(UsageError, match=rf"of x fails at {__file__}, line \d+: .* names no event"):
        r.judge_with(lambda _: holds("so", ()), r.recorded(4))


def always(verdict: Verdict) -> Callable[[Timeline], Verdict]:
    return lambda _: verdict


def judged_beside_the_trace(verdict: Verdict, recording: Recording) -> Verdict:
    """A claim's, in a scenario whose programs are said to print what is traced."""
    claims = (Claim("x", "X.", "RFC 1", always(verdict)), traces_what_is_printed)
    return judge(claims, build_timelines(recording))[0].verdict


LIED = [
    # Two witnesses of a call contradict each other.
    (e.told("client", ") = 26", ") = 25"), "send(3, b'These are three messages, ') = 25"),
    (t.changed("client", "sendto", t.more_result(-1), nth=1), "messages, ') = 26"),
    (t.changed("client", "connect", t.not_there), "connect(3, ('198.51.100.2', 4242)) = 0"),
]


@pytest.mark.parametrize("kind", [EventKind.PRINTED_CALL, EventKind.SYSTEM_CALL])
@pytest.mark.parametrize(("edit", "said"), LIED)
def test_calls_that_two_instruments_tell_differently_decide_nothing(
    edit: r.Edit, said: str, kind: EventKind
) -> None:
    recording = edit(s.recording_of("traced-tcp4"))
    for verdict in (
        holds("a", [EventId(kind, 1, "client")]),
        broken("b", [EventId(kind, 1, "client")]),
    ):
        found = judged_beside_the_trace(verdict, recording)
        assert found.outcome is Outcome.UNDECIDED
        assert found.why.startswith("client printed ") and said in found.why
        assert found.why.endswith("and no such call was traced: one of the two is wrong")
    for verdict in (
        broken("what the wire shows alone", [event("f1")]),
        holds("what another program did", [EventId(kind, 1, "server")]),
    ):
        assert judged_beside_the_trace(verdict, recording) == verdict
        assert r.judge_with(always(verdict), recording) == verdict


def test_a_claim_is_not_broken_by_what_was_not_printed_and_was_traced() -> None:
    recording = e.line_gone("client", "send(3, b'These")(s.recording_of("traced-tcp4"))
    printed = [EventId(EventKind.PRINTED_CALL, 1, "server")]
    found = judged_beside_the_trace(broken("b", printed), recording)
    assert found.outcome is Outcome.UNDECIDED
    assert found.why.startswith("client did not print sendto(")
    assert judged_beside_the_trace(holds("a", printed), recording).outcome is Outcome.HOLDS
    # Programs of which nobody says that they print what is traced may print what they like.
    assert r.judge_with(always(broken("b", printed)), recording) == broken("b", printed)
