"""Every claim of every recording, judged with each instrument disturbed in each manner."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.ad_hoc import AD_HOC, recorded_scenario
from lab.model.claim import Judgement, Outcome, Verdict, undecided
from lab.model.scenario import Scenario
from lab.recording.storage import load_recording
from lab.records import Recording
from lab.run import judge_recording
from lab.scenario_files import find_recorded, load_scenario
from tests.blind.disturbance import Disturb, Disturbed, Manner, Name, recorded_by
from tests.blind.instruments import DISTURBERS
from tests.blind.rests import rests_on
from tests.blind.worlds import other_worlds

FOLDER = Path(__file__).parents[1] / "recordings"
FOREIGN = frozenset({"relayed4", "relayed4-ptrace"})
"""Recordings of a scenario that is none of wirelab's own."""
AS_AD_HOC = ("traced-tcp4", "traced-tcp6", "traced-udp4")
"""Recordings that the claims of ad-hoc runs are judged by as well."""
OF_FRAMES = frozenset({Name.CAPTURE, Name.CANARY, Name.COUNTER, Name.CLOCK, Name.WITNESS})
"""What tells of a frame, and that there was no other."""
PRINTED_FALSELY = "whether programs print what they did is what the claim is about"
_BY_PRESENCE = frozenset({Name.OUTPUT, Name.CALLS, Name.RINGS})
"""What nothing is concluded from the absence of: a verdict on evidence that is left is as before.
A program may print less than it does, and one of several may not be traced."""
_DEFINITE = (Outcome.HOLDS, Outcome.BROKEN)


class Found(enum.StrEnum):
    """What became of a claim, the best first."""

    BLIND = "blind"
    """It is undecided or skipped."""
    KEPT = "kept"
    """It is decided as before: what decides it was not touched."""
    UNTELLABLE = "cannot be told"
    """It is decided otherwise, and nothing could have shown it."""
    WRONG = "wrong"
    """It is decided otherwise than by what happened, or by what is not there any more."""
    UNTRIED = "untried"
    """The instrument recorded something, and nothing disturbed it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A recording and what it is judged by."""

    name: str
    recording: Recording
    scenario: Scenario
    falsified: frozenset[Name] = frozenset(Name)
    """The instruments whose records are made false one by one; all are missed, cut and late."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One claim judged with one instrument disturbed."""

    subject: str
    claim: str
    instrument: Name
    manner: Manner
    what: str
    rests: bool
    """Whether the claim rests on the instrument."""
    before: Verdict
    after: Verdict
    found: Found
    cannot_be_told: str


def subjects() -> Iterator[Subject]:
    """Every recording by its scenario, some by the claims of ad-hoc runs; and other worlds.

    In those every instrument is missed, cut and late; single records are made false of those alone
    that tell what is other there.
    """
    for folder in sorted(FOLDER.iterdir()):
        if folder.name in FOREIGN:
            continue
        recording = load_recording(folder)
        if recording.scenario == AD_HOC:
            yield Subject(folder.name, recording, recorded_scenario())
            continue
        own = load_scenario(find_recorded(recording.scenario, recording.source, ""))
        for scenario in (own, recorded_scenario()) if folder.name in AS_AD_HOC else (own,):
            yield Subject(folder.name, recording, scenario)
            for what, world in other_worlds(recording):
                name = f"{folder.name}, {what}"
                yield Subject(name, world, scenario, falsified=OF_FRAMES)


def trials(subject: Subject, disturbers: Mapping[Name, Disturb] = DISTURBERS) -> Iterator[Trial]:
    """All of a subject's."""
    timelines, before = judge_recording(subject.recording, subject.scenario)
    rests = [rests_on(each.claim, timelines, each.verdict) for each in before]
    for name, disturb in disturbers.items():
        for disturbed in disturb(subject.recording):
            if disturbed.recording == subject.recording:
                continue
            if disturbed.manner is Manner.FALSE and name not in subject.falsified:
                continue
            yield from _judged(subject, disturbed, before, rests)


def untried(subject: Subject, tried: Iterable[Name]) -> Iterator[Trial]:
    """A trial that was none, of each claim and each instrument that was there and not tried."""
    nothing = undecided("not judged")
    for name in frozenset(recorded_by(subject.recording)) - frozenset(tried):
        for claim in subject.scenario.claims:
            yield Trial(
                subject.name,
                claim.id,
                name,
                Manner.GONE,
                "nothing disturbs it",
                False,
                nothing,
                nothing,
                Found.UNTRIED,
                "",
            )


def _judged(
    subject: Subject,
    disturbed: Disturbed,
    before: Sequence[Judgement],
    rests: Sequence[frozenset[Name]],
) -> Iterator[Trial]:
    timelines, after = judge_recording(disturbed.recording, subject.scenario)
    for was, now, names in zip(before, after, rests, strict=True):
        steps = set(was.claim.step_names) or {timelines[0].step}
        is_befallen = disturbed.steps is None or not steps.isdisjoint(disturbed.steps)
        does_rest = disturbed.instrument in names and is_befallen
        cannot_be_told = disturbed.cannot_be_told
        if was.claim.weighs_instruments and disturbed.instrument is Name.OUTPUT:
            cannot_be_told = cannot_be_told or PRINTED_FALSELY
        yield Trial(
            subject.name,
            was.claim.id,
            disturbed.instrument,
            disturbed.manner,
            disturbed.what,
            does_rest,
            was.verdict,
            now.verdict,
            _found(was.verdict, now.verdict, disturbed, does_rest, cannot_be_told),
            cannot_be_told,
        )


def _found(
    before: Verdict, after: Verdict, disturbed: Disturbed, rests: bool, cannot_be_told: str
) -> Found:
    if after.outcome not in _DEFINITE:
        return Found.BLIND
    if after.outcome is not before.outcome:
        return Found.UNTELLABLE if cannot_be_told else Found.WRONG
    evidence_left = set(after.evidence) <= set(before.evidence)
    is_there = disturbed.instrument in _BY_PRESENCE and evidence_left
    if rests and disturbed.manner in (Manner.GONE, Manner.CUT) and not is_there:
        return Found.WRONG
    return Found.KEPT
