from __future__ import annotations

from dataclasses import replace

import recorded as r

from lab.analysis.difference.difference import Found, RunDifference, compare_runs
from lab.model.claim import Outcome, Verdict


def difference(*edits: r.Edit, other: int = 4) -> RunDifference:
    """Of the recorded run of tcp, and of the same with edits."""
    changed = r.recorded(other)
    for edit in edits:
        changed = edit(changed)
    return compare_runs(r.judged(r.recorded(4), r.CLAIMS), r.judged(changed, r.CLAIMS))


def alone(found: RunDifference, where: Found) -> list[str]:
    (step,) = found.steps
    return [each.text for each in step.frames if each.found is where]


def measures(found: RunDifference) -> dict[str, tuple[str, str, Found]]:
    (step,) = found.steps
    return {each.name: (each.first, each.second, each.found) for each in step.measures}


def test_a_run_does_not_differ_from_itself() -> None:
    found = difference()
    assert found.is_same
    assert all(each.found is Found.BOTH for each in found.steps[0].measures)


def test_a_frame_that_one_run_lacks_is_in_the_other_alone() -> None:
    found = difference(r.without(7))
    assert not found.is_same
    assert alone(found, Found.FIRST) == ["server → client: ACK seq=1 ack=8"]
    assert alone(found, Found.SECOND) == []
    assert measures(found)["frames"] == ("20", "19", Found.OTHERWISE)


def test_a_retransmission_is_more() -> None:
    found = difference(r.repeated(6, 10_000))
    (again,) = alone(found, Found.SECOND)
    assert again.startswith("client → server: PSH ACK seq=1 ack=1 len=7, ")
    assert "retransmission" in again
    assert measures(found)["retransmissions"] == ("0", "1", Found.OTHERWISE)


def test_a_loss_is_otherwise() -> None:
    found = difference(r.lost(20))
    assert alone(found, Found.SECOND)[-1].endswith(", lost")
    assert measures(found)["lost frames"] == ("0", "1", Found.OTHERWISE)


def test_verdicts_are_compared_by_their_claims() -> None:
    timelines, judgements = r.judged(r.recorded(4), r.CLAIMS)
    first, *rest = judgements
    broken = replace(first, verdict=Verdict(Outcome.BROKEN, "x"))
    found = compare_runs((timelines, judgements), (timelines, (broken, *rest[1:])))
    said = {each.name: (each.first, each.second, each.found) for each in found.claims}
    assert said[first.text] == (first.verdict.outcome.value, "BROKEN", Found.OTHERWISE)
    assert said[rest[0].text][1:] == ("", Found.FIRST)


def test_times_differ_only_where_they_do_by_a_factor() -> None:
    (name,) = [name for name in measures(difference()) if name.startswith("handshake")]
    late = difference(r.moved(4, 20))
    assert measures(difference())[name][2] is Found.BOTH
    assert name not in measures(late) or measures(late)[name][2] is not Found.BOTH
