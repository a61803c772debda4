"""The page of a scenario: its question, its run, its answer, and what else can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from lab.model.event import EventKind
from site_pages.causes_page import plain

if TYPE_CHECKING:
    from lab.model.claim import Claim
    from lab.results import Result
    from site_pages.runs import SiteRun

HEIGHT_PX = 900


def scenario_page(run: SiteRun, more: str, sources: Mapping[str, str]) -> str:
    """The page, in Markdown.

    `more` is what is written by hand: exercises, and what differs on other kernels, without its
    title. `sources` are the paths of its file and its programs in the repository, and where the
    site has them.
    """
    lesson = run.scenario.lesson
    assert lesson is not None, f"{run.name} has no lesson"
    summary = run.scenario.summary
    return "\n".join(
        (
            f"# {run.name}",
            "",
            f"{_begun(summary)}.",
            "",
            f'!!! question "{_quoted(lesson.question)}"',
            "",
            f"    Predict, before you look: {lesson.predict}.",
            "",
            "## Run it",
            "",
            "```console",
            f"$ ./wirelab run {run.name}",
            "```",
            "",
            *_networks(run),
            "## Look",
            "",
            f"Where to look: {lesson.look}.",
            "",
            *_table(run),
            *_steps(run),
            *_ladder(run),
            "## The answer",
            "",
            '<details markdown="1"><summary>Once you have predicted it</summary>',
            "",
            lesson.answer,
            "",
            "A run answers so only if these claims hold in it:",
            "",
            *(f"- {_sentence(claim)}" for claim in lesson.claims),
            "",
            "</details>",
            "",
            more.strip(),
            "",
            "## Read it",
            "",
            *(f"- [{path}](../{place})" for path, place in sources.items()),
            "",
        )
    )


def _begun(text: str) -> str:
    """With a capital, unless a function's name is first."""
    return text if text.partition(" ")[0].endswith("()") else f"{text[0].upper()}{text[1:]}"


def _quoted(text: str) -> str:
    return text.replace('"', '\\"')


def _sentence(claim: Claim) -> str:
    return f"{claim.text} ({claim.source})"


def _networks(run: SiteRun) -> Iterator[str]:
    """What the scenario's network is, where it is more than two hosts on one link."""
    topology = run.scenario.topology
    if len(topology.hosts) == 2 and len(topology.links) == 1:
        return
    roles = {
        **dict.fromkeys(topology.routers, "router"),
        **dict.fromkeys(topology.switches, "switch"),
        **{nat.host: "NAT" for nat in topology.nats},
    }
    named = [
        f"`{host}` ({roles[host]})" if host in roles else f"`{host}`" for host in topology.hosts
    ]
    yield f"Its hosts: {', '.join(named)}. Its links:"
    yield ""
    for link in topology.links:
        ends = " — ".join(f"`{end.host}/{end.name}`" for end in (link.a, link.b))
        mtu = "" if link.mtu_bytes == 1500 else f", MTU {link.mtu_bytes}"
        yield f"- {ends}{mtu}"
    yield ""


def _table(run: SiteRun) -> Iterator[str]:
    """The table of the run, where the scenario has one, folded: it answers."""
    table = run.result.table if run.result else None
    if table is None:
        return
    yield '<details markdown="1"><summary>The table of this run</summary>'
    yield ""
    yield _cells(table.head)
    yield _cells(("---", *("---:" for _ in table.head[1:])))
    yield from map(_cells, table.rows)
    yield ""
    for note in table.notes:
        yield plain(note)
        yield ""
    yield "</details>"
    yield ""


def _steps(run: SiteRun) -> Iterator[str]:
    """What each step of several put on the wire, folded, as a terminal has it above the ladders."""
    from lab.ladder.steps import frames_beside, has_frames, likenesses

    ladders = run.result.ladders if run.result else ()
    if run.result is None or len(ladders) < 2 or not any(map(has_frames, ladders)):
        return
    names = [timeline.step for timeline in run.result.timelines]
    yield '<details markdown="1"><summary>The table of steps of this run</summary>'
    yield ""
    yield _cells(("step", "on the wire"))
    yield _cells(("---", "---"))
    for name, ladder, like in zip(names, ladders, likenesses(ladders), strict=True):
        yield _cells((name, frames_beside(ladder, like, names)))
    yield ""
    yield "</details>"
    yield ""


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(plain(cell) if '---' not in cell else cell for cell in cells)} |"


def _ladder(run: SiteRun) -> Iterator[str]:
    """The run's page within this one."""
    result = run.result
    if result is None:
        yield '!!! warning "No ladder here"'
        yield ""
        yield "    This site was built where no run can be made, and none of this scenario was"
        yield "    recorded. Run it, and open the report.html that it leaves."
        yield ""
        return
    recording = result.recording
    made = "A run that was recorded some day" if run.is_recorded else "A run made for this page"
    page = f"../runs/{run.name}/report.html"
    yield (
        f"{made}, on `{recording.kernel}`. Click an event for its fields, its bytes and what "
        "brought it about; “Predict, then reveal” hides what happened."
    )
    yield ""
    yield (
        f'<iframe class="run" src="{page}{shown_first(result)}" '
        f'title="The ladder of {run.name}" height="{HEIGHT_PX}" loading="lazy" '
        'sandbox="allow-scripts allow-popups"></iframe>'
    )
    yield ""
    yield f"[The ladder as a page by itself]({page})"
    yield ""


def shown_first(result: Result) -> str:
    """The fragment by which report.html opens at what answers the question: "#nagle/f9".

    That is the first frame that shows one of the lesson's claims; else the first there is. ""
    where the run has no frame.
    """
    lesson = result.lesson
    names = {claim.name for claim in lesson.claims} if lesson else set()
    frames = [
        event.number
        for judgement in result.judgements
        if judgement.claim.name in names
        for event in judgement.verdict.evidence
        if event.kind is EventKind.FRAME
    ]
    for timeline in result.timelines:
        frames += timeline.crossing_of
    for number in frames:
        for timeline in result.timelines:
            if number in timeline.crossing_of:
                return f"#{quote(timeline.step, safe='')}/f{number}"
    return ""
