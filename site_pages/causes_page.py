"""The page of causes: each with its question, what it means, and the runs that show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from lab.frozen import frozen

if TYPE_CHECKING:
    from lab.analysis.causes.catalogue import CauseKind
    from lab.analysis.causes.facts.cause import Cause
    from site_pages.runs import SiteRun

PLACE = "causes-seen.md"
MOST_SHOWN = 2
"""Runs of a cause: those that begin alike say no more."""


@frozen
class SeenCause:
    """A cause that one of the site's runs has."""

    run: str
    """The scenario's name."""
    step: str
    cause: Cause

    @property
    def place(self) -> str:
        """Where the site has the ladder that shows it, opened at its first event."""
        event = quote(str(self.cause.evidence[0]), safe="")
        return f"runs/{self.run}/report.html#{quote(self.step, safe='')}/{event}"


def seen_causes(runs: Sequence[SiteRun]) -> dict[str, list[SeenCause]]:
    """By a cause's name, where the runs have it, one of each run."""
    from lab.analysis.causes.find import find_causes

    found: defaultdict[str, list[SeenCause]] = defaultdict(list)
    for run in runs:
        for timeline in run.result.timelines if run.result else ():
            for cause in find_causes(timeline):
                if run.name not in {seen.run for seen in found[cause.name]}:
                    found[cause.name].append(SeenCause(run.name, timeline.step, cause))
    return dict(found)


def causes_page(
    subjects: Mapping[str, Sequence[CauseKind]], seen: Mapping[str, Sequence[SeenCause]]
) -> str:
    """The page, in Markdown: an entry for each kind of cause, by subject."""
    lines = [
        "# Each cause, with a run",
        "",
        "What a report can name as the reason of what surprises: [causes](causes.md) says how they",
        "are found. Below each is what a run of the site's scenarios had of it, with its ladder.",
    ]
    for subject, kinds in subjects.items():
        lines += ["", f"## {subject}"]
        for kind in kinds:
            lines += ["", *_entry(kind, seen.get(kind.name, ()))]
    return "\n".join(lines) + "\n"


def _entry(kind: CauseKind, seen: Sequence[SeenCause]) -> Iterator[str]:
    yield f"### {kind.name}"
    yield ""
    yield f"*{_plain(kind.question)}*"
    yield ""
    yield f"{kind.means} ({_plain(kind.source)})"
    if kind.page:
        yield f"[More]({kind.page})."
    yield ""
    if not seen:
        yield "No scenario shows it."
    for each in seen[:MOST_SHOWN]:
        yield (
            f"- In [{each.run}](lessons/{each.run}.md): {_plain(each.cause.sentence)} "
            f"[The ladder, at this place]({each.place})"
        )


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    for mark in "\\`*_[]<>":
        text = text.replace(mark, f"\\{mark}")
    return text
