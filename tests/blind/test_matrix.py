"""Some cells of the table that `make blind` makes whole, and that a wrong verdict shows in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import recorded as r

from lab.ad_hoc import AD_HOC, recorded_scenario
from lab.model.claim import Outcome
from lab.records import Recording
from lab.run import judge_recording
from lab.scenario_files import find_recorded, load_scenario
from tests.blind import matrix
from tests.blind.disturbance import Disturbed, Manner, Name, recorded_by
from tests.blind.instruments import DISTURBERS, output
from tests.blind.matrix import Found, Subject, trials, untried
from tests.blind.rests import rests_on
from tests.blind.table import Table
from tests.blind.worlds import other_worlds

# Those of a limit of their own are begun first: of pure tests none take longer than these.
pytestmark = pytest.mark.timeout(300)

RUN_OF = {
    Name.RINGS: "traced-rings4",
    Name.DROPS: "traced-udp4",
    Name.QUEUES: "traced-unix4",
    Name.SOCK_DIAG: "traced-unix4",
    Name.WIRE: "wired-tcp4",
    Name.NETSTAT: "loss-syn4",
    Name.HELD: "backlog4",
    Name.CLOSING: "traced-reset4",
}


def subject_of(name: str) -> Subject:
    recording = r.recording_of(name)
    if recording.scenario == AD_HOC:
        return Subject(name, recording, recorded_scenario())
    return Subject(
        name, recording, load_scenario(find_recorded(recording.scenario, recording.source, ""))
    )


@pytest.mark.parametrize("instrument", [each for each in DISTURBERS if each != Name.CONNTRACK])
def test_no_claim_of_a_traced_scenario_is_decided_wrongly(instrument: Name) -> None:
    subject = subject_of(RUN_OF.get(instrument, "traced-tcp4"))
    found = list(trials(subject, {instrument: DISTURBERS[instrument]}))
    assert {trial.claim for trial in found} == {claim.id for claim in subject.scenario.claims}
    assert [trial for trial in found if trial.found is Found.WRONG] == []


def test_no_claim_about_a_nat_is_decided_wrongly_without_its_table_or_by_a_wrong_one() -> None:
    subject = subject_of("nat4")
    found = list(trials(subject, {Name.CONNTRACK: DISTURBERS[Name.CONNTRACK]}))
    assert {trial.manner for trial in found} == {Manner.GONE, Manner.CUT, Manner.FALSE}
    assert [trial for trial in found if trial.found is Found.WRONG] == []
    # A port that no frame has contradicts the frames; what is not in the table does not.
    assert Found.BLIND in {trial.found for trial in found if trial.manner is Manner.FALSE}
    assert {trial.found for trial in found if trial.manner is Manner.GONE} == {Found.KEPT}


def test_without_a_rings_operations_no_claim_on_calls_is_decided() -> None:
    subject = subject_of("traced-rings4")
    found = list(trials(subject, {Name.RINGS: DISTURBERS[Name.RINGS]}))
    assert {trial.manner for trial in found} == set(Manner)
    on_calls = {"ad-hoc-connect", "ad-hoc-accept", "ad-hoc-stream-bytes"}
    before = {trial.claim: trial.before.outcome for trial in found}
    assert {before[claim] for claim in on_calls} == {Outcome.HOLDS}
    spoilt = [t for t in found if t.manner in (Manner.GONE, Manner.CUT)]
    # What one of two programs did is enough for what is claimed of it.
    whole = [t for t in spoilt if not t.what.startswith("no operation of")]
    assert {t.what for t in whole} >= {"rings are not followed", "no operation was seen"}
    assert {t.found for t in whole if t.claim in on_calls} == {Found.BLIND}
    assert {t.found for t in whole if t.claim == "ad-hoc-opens"} == {Found.KEPT}


def test_what_a_claim_rests_on_is_what_its_check_reads_and_its_evidence() -> None:
    subject = subject_of("traced-unix4")
    timelines, judgements = judge_recording(subject.recording, subject.scenario)
    rests = {j.claim.id: rests_on(j.claim, timelines, j.verdict) for j in judgements}
    # Its evidence is what was printed alone; that no frame was seen is its point.
    assert {Name.CAPTURE, Name.CANARY, Name.WITNESS, Name.OUTPUT} <= rests["unix-silent"]
    assert rests["unix-bytes"] == {Name.OUTPUT}
    assert {Name.SOCK_DIAG, Name.OUTPUT} == rests["unix-two-ends"]
    assert {Name.CALLS, Name.OUTPUT} <= rests["unix-traced"]
    assert Name.CAPTURE not in rests["unix-traced"]


def test_a_claim_that_is_decided_without_its_instrument_is_wrong() -> None:
    subject = subject_of("tcp4")

    def unnoticed(recording: Recording) -> Iterator[Disturbed]:
        """A disturbance that changes nothing the claims are judged by."""
        kernel = replace(recording, kernel="another")
        yield Disturbed(Name.CAPTURE, Manner.GONE, "no capture", kernel)

    found = {t.claim: t.found for t in trials(subject, {Name.CAPTURE: unnoticed})}
    assert found["tcp-opens"] is Found.WRONG
    assert found["tcp-traced"] is Found.BLIND
    table = Table()
    table.add(trials(subject, {Name.CAPTURE: unnoticed}))
    assert any(line.startswith("! tcp4: tcp-opens, capture") for line in table.lines())
    assert table.cell("tcp-opens", Name.CAPTURE) == "!···"


def test_a_lie_that_changes_a_verdict_is_wrong_unless_nothing_could_tell() -> None:
    subject = subject_of("tcp4")
    lie = r.changed(6, lambda data: data[:-1] + b"?", fix=False)(subject.recording)

    def lying(cannot_be_told: str) -> Found:
        told = Disturbed(Name.CAPTURE, Manner.FALSE, "a byte", lie, cannot_be_told=cannot_be_told)
        found = trials(subject, {Name.CAPTURE: lambda _: iter([told])})
        return next(trial.found for trial in found if trial.claim == "tcp-checksums")

    assert lying("") is Found.WRONG
    assert lying("both points saw it") is Found.UNTELLABLE


def test_in_another_world_every_unix_silence_is_broken() -> None:
    subject = subject_of("unix4")
    ((what, world),) = other_worlds(subject.recording)
    _, judgements = judge_recording(world, subject.scenario)
    silent = next(each for each in judgements if each.claim.id == "unix-silent")
    assert (what, silent.verdict.outcome.value) == ("with a frame on every link", "BROKEN")


def test_every_scenario_and_the_ad_hoc_run_are_in_the_table() -> None:
    named = {subject.scenario.name for subject in matrix.subjects()}
    assert {"tcp", "udp", "unix", "unix-types", "buffers", "calls", "types", "raw"} < named
    assert recorded_scenario().name in named


@pytest.mark.parametrize(
    "name", ["tcp4", "traced-tcp4", "traced-udp4", "traced-unix4", "traced-rings4"]
)
def test_each_instrument_that_recorded_something_has_what_disturbs_it(name: str) -> None:
    recording = subject_of(name).recording
    tried = {
        name
        for name, disturb in DISTURBERS.items()
        if any(each.recording != recording for each in disturb(recording))
    }
    assert tried == set(recorded_by(recording))


def test_an_instrument_that_nothing_disturbs_is_a_fault_of_the_table() -> None:
    subject = subject_of("traced-tcp4")
    whole = frozenset(recorded_by(subject.recording))
    assert list(untried(subject, whole)) == []
    table = Table()
    table.add(untried(subject, whole - {Name.STATES}))
    assert table.cell("tcp-opens", Name.STATES) == "?···"
    assert len(table.wrong) == len(subject.scenario.claims)
    assert "? traced-tcp4: tcp-opens, states: nothing disturbs it" in list(table.lines())


def test_what_a_program_printed_otherwise_is_told_by_the_tracer_and_by_nobody_else() -> None:
    told = subject_of("traced-tcp4")
    found = {
        t.found for t in trials(told, {Name.OUTPUT: output.disturbed}) if t.claim == "tcp-bytes"
    }
    assert found == {Found.BLIND, Found.KEPT}
    alone = subject_of("tcp4")
    changed = [t for t in trials(alone, {Name.OUTPUT: output.disturbed}) if t.claim == "tcp-bytes"]
    assert {t.cannot_be_told for t in changed if t.found is Found.UNTELLABLE} >= {output.UNTRACED}
