"""The page of causes: each with its question, what it means, and the runs that show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from shlex import quote as quoted
from typing import TYPE_CHECKING
from urllib.parse import quote

from lab.frozen import frozen
from lab.model.family import Family

if TYPE_CHECKING:
    from lab.analysis.causes.catalogue import CauseKind
    from lab.analysis.causes.facts.cause import Cause
    from lab.experiments.experiment import Experiment
    from lab.ladder.model import Ladder
    from lab.results import Result
    from site_pages.runs import SiteExperiment, SiteRun

PLACE = "causes-seen.md"
MOST_SHOWN = 2
"""Runs of a cause: those that begin alike say no more."""


@frozen
class SeenCause:
    """A cause that one of the site's runs has."""

    run: str
    """The scenario's name; "" for an experiment's."""
    step: str
    cause: Cause
    title: str
    """Of its picture."""
    picture: Ladder | None
    """A few rows of the ladder."""
    experiment: Experiment | None = None
    """What was run, where that is no scenario."""

    @property
    def report(self) -> str:
        """Where the site has the run's page."""
        return f"runs/{self.run or f'causes/{self.cause.name}'}/report.html"

    @property
    def place(self) -> str:
        """Where the site has the ladder that shows it, opened at its first event."""
        event = quote(str(self.cause.evidence[0]), safe="")
        return f"{self.report}#{quote(self.step, safe='')}/{event}"


def pictured(seen: Sequence[SeenCause]) -> SeenCause | None:
    """The first of them whose ladder has what shows it."""
    return next((each for each in seen if each.picture is not None), None)


def picture_place(name: str) -> str:
    """Where the site has the picture of a cause's ladder."""
    return f"pictures/causes/{name}.svg"


def seen_causes(
    runs: Sequence[SiteRun], experiments: Sequence[SiteExperiment] = ()
) -> dict[str, list[SeenCause]]:
    """By a cause's name, where the runs have it, one of each run.

    Experiments show the one that they are made for, where no run does.
    """
    found: defaultdict[str, list[SeenCause]] = defaultdict(list)
    for run in runs:
        for step, cause, picture in _causes_of(run.result) if run.result else ():
            if run.name not in {seen.run for seen in found[cause.name]}:
                assert run.result is not None
                seen = SeenCause(run.name, step, cause, run.result.title, picture)
                found[cause.name].append(seen)
    for made in experiments:
        for step, cause, picture in _causes_of(made.result):
            if cause.name == made.experiment.cause and cause.name not in found:
                title = made.result.title
                seen = SeenCause("", step, cause, title, picture, made.experiment)
                found[cause.name].append(seen)
    return dict(found)


def _causes_of(result: Result) -> Iterator[tuple[str, Cause, Ladder | None]]:
    """Each cause with its step and the rows that show it."""
    from lab.analysis.causes.find import find_causes
    from lab.study.deck import picture_of

    for timeline, ladder in zip(result.timelines, result.ladders, strict=True):
        for cause in find_causes(timeline):
            yield timeline.step, cause, picture_of(cause, ladder)


def causes_page(
    subjects: Mapping[str, Sequence[CauseKind]], seen: Mapping[str, Sequence[SeenCause]]
) -> str:
    """The page, in Markdown: an entry for each kind of cause, by subject."""
    lines = [
        "# Each cause, with a run",
        "",
        "What a report can name as the reason of what surprises: [causes](causes.md) says how they",
        "are found. Below each is what a run had of it, with the ladder: of one of the scenarios,",
        "or else of small programs that go wrong in this way.",
    ]
    for subject, kinds in subjects.items():
        lines += ["", f"## {subject}"]
        for kind in kinds:
            lines += ["", *_entry(kind, seen.get(kind.name, ()))]
    return "\n".join(lines) + "\n"


def _entry(kind: CauseKind, seen: Sequence[SeenCause]) -> Iterator[str]:
    yield f"### {kind.name}"
    yield ""
    yield f"*{plain(kind.question)}*"
    yield ""
    yield f"{kind.means} ({plain(kind.source)})"
    if kind.page:
        yield f"[More]({kind.page})."
    yield ""
    if not seen:
        yield "No run of this site shows it."
        return
    shown = pictured(seen)
    if shown and shown.picture:
        from lab.report.svg.geometry import width_of

        wider = width_of(len(shown.picture.lanes)) / width_of(2)
        style = f'{{ style="--wider: {wider:.2f}" }}' if wider > 1 else ""
        yield f"![The ladder around {kind.name}]({picture_place(kind.name)}){style}"
        yield ""
    for each in seen[:MOST_SHOWN]:
        told = plain(each.cause.sentence)
        where = f"In [{each.run}](lessons/{each.run}.md): " if each.run else ""
        yield f"- {where}{told} [The ladder, at this place]({each.place})"
        if each.experiment is not None:
            yield from _programs(each.experiment)


def _programs(experiment: Experiment) -> Iterator[str]:
    """What was run, folded."""
    yield ""
    yield '??? example "The programs"'
    settings = [
        *(f"--wire {quoted(rule)}" for rule in experiment.wire),
        *(f"--sysctl {quoted(f'{name}={value}')}" for name, value in experiment.sysctls.items()),
        *(f"--cap {name}" for name in experiment.capabilities),
    ]
    if experiment.topology:
        settings.append(f"--topology {experiment.topology}")
    if experiment.family is Family.IPV6:
        settings.append("--family 6")
    for title, code in (("Server", experiment.server), ("Client", experiment.client)):
        if code:
            yield ""
            yield f"    {title}:"
            yield ""
            yield "    ```python"
            yield from (f"    {line}".rstrip() for line in code.strip().split("\n"))
            yield "    ```"
    if settings:
        yield ""
        yield f"    Run with `{' '.join(settings)}`."


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    for mark in "\\`*_[]<>|":
        text = text.replace(mark, f"\\{mark}")
    return text
