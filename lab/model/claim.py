"""Claims and verdicts, as plain values."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lab.errors import UsageError
from lab.frozen import frozen
from lab.model.event import EventId, frame_id
from lab.model.program import Step


class Outcome(enum.Enum):
    """What became of a claim."""

    HOLDS = "HOLDS"
    """The events show it."""
    BROKEN = "BROKEN"
    """The events contradict it."""
    UNDECIDED = "UNDECIDED"
    """The capture or the trace was incomplete, or the programs did not do what it asks about."""
    SKIPPED = "SKIPPED"
    """The machine lacks what the claim is about, or there was nothing to judge."""


@frozen
class Contrast:
    """One thing that was expected beside what it was."""

    what: str
    """ "flags", "bytes from the client"."""
    expected: str
    actual: str


@frozen
class Verdict:
    """An outcome with its reason, and the events it rests on."""

    outcome: Outcome
    why: str
    evidence: tuple[EventId, ...] = ()
    """Never empty if the claim holds, unless it `is_observed`."""
    is_observed: bool = False
    """Of a skipped claim: whether that there was nothing to judge is itself an observation. An
    incomplete recording leaves it undecided; what the machine lacks it lacks all the same. Of one
    that holds: whether it is about what is no event, such as silence or an exit status."""
    compared: tuple[Contrast, ...] = ()
    """Of what was expected and is not so: the two side by side."""

    def __post_init__(self) -> None:
        if self.outcome is Outcome.HOLDS and not self.evidence and not self.is_observed:
            raise UsageError(
                f"a check says that its claim holds, and names no event that shows it: {self.why}"
            )


@frozen
class Claim:
    """A statement that a run decides, with the check that decides it.

    `@claim` makes one of a check; a scenario lists it, on the steps it is about:
    `opens_with_three_segments.on(CONVERSATION)`.
    """

    name: str
    """Its name within a scenario, such as "opens"."""
    text: str
    """The statement, as a sentence."""
    source: str
    """Where it comes from: an RFC's section or a man page."""
    check: Callable[..., Verdict]
    """Called with a Timeline for each of `steps`."""
    statements: tuple[str, ...] = ()
    """Ids of the statements that it decides (lab/model/statements.py)."""
    ipv6_text: str = ""
    """The sentence over IPv6, if it differs."""
    steps: tuple[Step, ...] = ()
    """The steps that it is about; () is the scenario's first."""
    is_of_each_step: bool = False
    """Whether its check is called with each of the steps by itself, not with all of them."""
    despite_failures: bool = False
    """Whether it is decided even if a program of its steps failed: it says what was seen,
    whatever the programs were meant to do."""
    weighs_instruments: bool = False
    """Whether its check itself compares what programs printed with what was traced, and says
    which of the two is wrong; else two that contradict each other decide no claim."""
    by_headers: bool = False
    """Whether its check looks at headers alone: at no payload, and at no checksum over one. Then it
    is decided on frames too that were cut behind their headers, as was asked."""
    scenario: str = ""
    """The name of the scenario that lists it; "" if none does."""
    written: tuple[str, int] | None = None
    """The file and the line where it is written, where that is not its check's; ("", 0) of the
    command line."""

    @property
    def id(self) -> str:
        """The scenario's name and its own, such as "tcp-opens"."""
        return f"{self.scenario}-{self.name}" if self.scenario else self.name

    @property
    def step_names(self) -> tuple[str, ...]:
        """The names of its steps."""
        return tuple(step.name for step in self.steps)

    @property
    def place(self) -> tuple[str, int]:
        """The file and the line where it is written: of its function, decorators included."""
        if self.written is not None:
            return self.written
        code = self.check.__code__
        return code.co_filename, code.co_firstlineno

    def __call__(self, *timelines: object) -> Verdict:
        """The verdict of its check on these timelines, or the worst of its verdicts on each."""
        if self.is_of_each_step:
            return _worst([self.check(timeline) for timeline in timelines])
        return self.check(*timelines)

    def on(self, *steps: Step) -> Claim:
        """The same claim about these steps, which its check is called with in this order."""
        return replace(self, steps=steps, is_of_each_step=False)

    def in_each_of(self, *steps: Step) -> Claim:
        """The claim about each of these steps by itself: it holds if it holds in all."""
        return replace(self, steps=steps, is_of_each_step=True)

    def saying(self, text: str, *, source: str = "", ipv6: str = "", name: str = "") -> Claim:
        """The same check under another sentence; source and name stay unless given."""
        source, name = source or self.source, name or self.name
        return replace(self, text=text, source=source, ipv6_text=ipv6, name=name)

    def deciding(self, *statements: str) -> Claim:
        """The same claim, which decides just these statements."""
        return replace(self, statements=statements)

    def wrong_steps(self) -> str:
        """Why its check cannot be called with its steps; "" if it can."""
        signature = inspect.signature(self.check)
        is_one_each_time = self.is_of_each_step or not self.steps
        try:
            signature.bind(*(["one"] if is_one_each_time else self.steps))
        except TypeError:
            wanted = ", ".join(signature.parameters)
            given = ", ".join(self.step_names) or "none, which stands for the first"
            given += ", each by itself" if self.is_of_each_step else ""
            return f"its check takes ({wanted}), and the steps given are: {given}"
        return ""


def claim(
    text: str,
    *,
    source: str,
    statements: Iterable[str] = (),
    ipv6: str = "",
    name: str = "",
    weighs_instruments: bool = False,
    by_headers: bool = False,
) -> Callable[[Callable[..., Verdict]], Claim]:
    """A decorator that makes a claim of a check.

    `text` is the sentence, `ipv6` the one over IPv6 if that differs, `source` an RFC's section
    or a man page. The claim is named after the function, unless `name` is given. A check that
    `weighs_instruments` compares itself what programs printed with what was traced; one that
    goes `by_headers` looks at no payload, and at no checksum over one.
    """

    def make(check: Callable[..., Verdict]) -> Claim:
        named = name or check.__name__.replace("_", "-")
        return Claim(
            named,
            text,
            source,
            check,
            tuple(statements),
            ipv6,
            weighs_instruments=weighs_instruments,
            by_headers=by_headers,
        )

    return make


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst of the verdicts on several steps; where it holds in all, with all evidence."""
    for worse in (Outcome.BROKEN, Outcome.UNDECIDED, Outcome.SKIPPED):
        for verdict in verdicts:
            if verdict.outcome is worse:
                return verdict
    evidence = [event for verdict in verdicts for event in verdict.evidence]
    return holds(first_of([*dict.fromkeys(verdict.why for verdict in verdicts)]), evidence)


@frozen
class Judgement:
    """A claim and its verdict on one run."""

    claim: Claim
    verdict: Verdict
    text: str
    """The claim's sentence for the run's IP version."""


def holds(why: str, evidence: Iterable[EventId]) -> Verdict:
    """The claim turned out true; `evidence` is what shows it, at least one event.

    Raises UsageError without evidence.
    """
    return Verdict(Outcome.HOLDS, why, tuple(evidence))


def broken(why: str, evidence: Iterable[EventId] = ()) -> Verdict:
    """The claim turned out false."""
    return Verdict(Outcome.BROKEN, why, tuple(evidence))


def undecided(why: str, evidence: Iterable[EventId] = ()) -> Verdict:
    """What was seen does not decide the claim."""
    return Verdict(Outcome.UNDECIDED, why, tuple(evidence))


def skipped(why: str, evidence: Iterable[EventId] = ()) -> Verdict:
    """The machine lacks what the claim is about; `why` names it."""
    return Verdict(Outcome.SKIPPED, why, tuple(evidence))


def nothing_seen(why: str, evidence: Iterable[EventId] = ()) -> Verdict:
    """Nothing happened that the claim is about, as far as was seen: a skipped claim.

    Where the recording is incomplete `judge` makes it undecided: it may have been missed.
    """
    return Verdict(Outcome.SKIPPED, why, tuple(evidence), is_observed=True)


def frame_ids(numbers: Iterable[int]) -> tuple[EventId, ...]:
    """The events of the frames with those numbers."""
    return tuple(map(frame_id, numbers))


def first_of(sentences: Sequence[str], most: int = 4) -> str:
    """The first sentences, and how many more there are."""
    more = f"; and {len(sentences) - most} more" if len(sentences) > most else ""
    return "; ".join(sentences[:most]) + more
