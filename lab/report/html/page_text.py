"""The HTML text of a page, around the parts of it that are files or are drawn by its script.

Every value that is not the lab's own markup goes through `_shown`, which escapes it. Here and in no
template, because each run writes such a page: importing Jinja2 and compiling the template took an
eighth of a run's CPU time. Pages that are written when asked for have templates (plain_page.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lab.analysis.counters import CounterTable
from lab.analysis.sockets.held import HeldRow
from lab.frozen import frozen
from lab.report.svg.visible import visible

LINKED = 6
"""Of a claim's events as many are named beside it; the others below its reason."""

_ESCAPES = {"&": "&amp;", ">": "&gt;", "<": "&lt;", "'": "&#39;", '"': "&#34;"}
_ESCAPED = str.maketrans(_ESCAPES)


@frozen
class ClaimLine:
    """A claim in one line, with what decided it."""

    outcome: str
    text: str
    why: str
    source: str
    evidence: tuple[tuple[str, str], ...]
    """Names of events, and where they are in the page: "#conversation/f3"."""
    unnamed: int = 0
    """How many more there are."""


@frozen
class CauseLine:
    """A cause, with what shows it."""

    step: str
    """"" where there is only one."""
    sentence: str
    source: str
    decided_by: str
    """Of what is only likely: what would decide it; else ""."""
    evidence: tuple[tuple[str, str], ...]
    """Names of events, and where they are in the page."""
    counters: tuple[str, ...]


@frozen
class PageHead:
    """What stands above the ladder."""

    title: str
    question: str
    verdict: str
    """ "HOLDS"; "" where nothing is judged."""
    verdict_text: str
    facts: tuple[tuple[str, str], ...]
    """Names and values."""
    warnings: tuple[str, ...]
    claims: tuple[ClaimLine, ...]
    columns: tuple[str, ...]
    """The headings of the table of parts."""
    counters: tuple[tuple[str, CounterTable], ...] = ()
    """What was counted in each part, where something was."""
    held: tuple[tuple[str, tuple[HeldRow, ...]], ...] = ()
    """The sockets that were looked at in each part, where there were any."""
    causes: tuple[CauseLine, ...] = ()


def escaped(text: str) -> str:
    """The text as it may stand in an element and in a quoted attribute."""
    return text.translate(_ESCAPED)


def _shown(text: str) -> str:
    """The same, without characters that cannot be seen."""
    return visible(text).translate(_ESCAPED)


def page_text(
    head: PageHead,
    rows: Sequence[Sequence[str]],
    *,
    policy: str,
    style: str,
    script: str,
    bench: str,
    views: str,
    index: str,
    documents: Iterable[str],
) -> Iterator[str]:
    """The page, piece by piece.

    `style` and `script` are in the page as they are, `bench` and `views` are HTML, `index` and
    `documents` JSON for script elements.
    """
    title = _shown(head.title)
    yield f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="wirelab">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#ladder">To the ladder</a>
<header class="top">
  <div class="mark"><span>wirelab</span><span>{title}</span>
    <button type="button" id="theme" aria-pressed="false">Dark or light</button></div>
  <h1>{_shown(head.question)}</h1>
"""
    if head.verdict:
        yield f"""  <p class="verdict">{_badge(head.verdict)}
    <span>{_shown(head.verdict_text)}</span></p>
"""
    elif head.verdict_text:
        yield f'  <p class="verdict"><span>{_shown(head.verdict_text)}</span></p>\n'
    for warning in head.warnings:
        yield f'  <p class="warning">{_shown(warning)}</p>\n'
    yield "</header>\n<main>\n"
    if head.claims:
        yield _opened("claims", "claims-title", "Claims") + "  <ul>\n"
        yield from map(_claim, head.claims)
        yield "  </ul>\n</section>\n"
    what = "What was called, and what went over the wire" if head.claims else "Flows"
    yield _opened("bench", "bench-title", what)
    if len(rows) > 1:
        yield from _parts(head.columns, rows)
    yield bench
    if head.causes:
        yield _opened("claims", "causes-title", "What happened, and why") + "  <ul>\n"
        yield from map(_cause, head.causes)
        yield "  </ul>\n</section>\n"
    yield views
    if head.held:
        yield _opened("counters", "held-title", "What the kernels held")
        for step, held in head.held:
            yield from _held(step, held)
        yield "</section>\n"
    if head.counters:
        yield _opened("counters", "counters-title", "What the kernels counted")
        for step, table in head.counters:
            yield from _counted(step, table)
        yield "</section>\n"
    facts = "".join(
        f"<div><dt>{_shown(name)}</dt><dd>{_shown(value)}</dd></div>" for name, value in head.facts
    )
    yield f"""{_opened("facts", "facts-title", "How it was recorded")}  <dl>{facts}</dl>
</section>
</main>
<footer><p><kbd>j</kbd> <kbd>k</kbd> or arrows: next and previous event · <kbd>/</kbd> search · \
<kbd>Esc</kbd> none chosen</p></footer>
<script type="application/json" id="index">{index}</script>
"""
    for number, document in enumerate(documents):
        yield f'<script type="application/json" id="part-{number}">'
        yield document
        yield "</script>\n"
    yield f"<script>{script}</script>\n</body>\n</html>"


def _opened(kind: str, name: str, heading: str) -> str:
    """The beginning of a section."""
    return f"""<section class="{kind}" aria-labelledby="{name}">
  <h2 id="{name}">{heading}</h2>
"""


def _badge(outcome: str) -> str:
    return f'<strong class="badge {escaped(outcome.lower())}">{escaped(outcome)}</strong>'


def _event(name: str, place: str) -> str:
    """An event, as a link where it is in the page."""
    if place:
        return f'<a href="{escaped(place)}">{_shown(name)}</a>'
    return f"<span>{_shown(name)}</span>"


def _claim(claim: ClaimLine) -> str:
    more = len(claim.evidence) - LINKED
    seen = "".join(f"{_event(*each)} " for each in claim.evidence[:LINKED])
    every = ""
    if more > 0:
        seen += f"<span>and {more + claim.unnamed} more</span>"
        every = "".join(f" {_event(*each)}" for each in claim.evidence)
        if claim.unnamed:
            every += f" <span>and {claim.unnamed} more, in report.json</span>"
        every = f'<p class="seen">seen in{every}</p>'
    return f"""    <li>
      {_badge(claim.outcome)}
      <span class="claim">{_shown(claim.text)}</span>
      <span class="seen">{seen}</span>
      <details><summary>why</summary><p>{_shown(claim.why)}</p>{every}\
<p class="quiet">{_shown(claim.source)}</p></details>
    </li>
"""


def _cause(cause: CauseLine) -> str:
    step = _shown(cause.step) if cause.step else "why"
    seen = "".join(f"{_event(*each)} " for each in cause.evidence)
    seen += "".join(f"<span>{_shown(counter)}</span> " for counter in cause.counters)
    decided = f"<p>To decide it: {_shown(cause.decided_by)}.</p>" if cause.decided_by else ""
    return f"""    <li>
      <strong class="badge">{step}</strong>
      <span class="claim">{_shown(cause.sentence)}</span>
      <span class="seen">{seen}</span>
      <details><summary>source</summary>{decided}\
<p class="quiet">{_shown(cause.source)}</p></details>
    </li>
"""


def _parts(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The table of what can be shown."""
    yield """  <div class="parts" tabindex="0" role="region" aria-label="What can be shown"><table>
"""
    yield f"    <thead><tr>{_headings(columns)}</tr></thead>\n    <tbody>\n"
    for first, *others in rows:
        cells = "".join(f"<td>{_shown(cell)}</td>" for cell in others)
        button = f'<button type="button">{_shown(first)}</button>'
        yield f'      <tr><th scope="row">{button}</th>{cells}</tr>\n'
    yield "    </tbody>\n  </table></div>\n"


def _headings(names: Iterable[str]) -> str:
    return "".join(f'<th scope="col">{_shown(name)}</th>' for name in names)


def _folded(step: str, what: str, head: str, rows: Iterable[str]) -> Iterator[str]:
    """A table that is shown when it is asked for."""
    name = _shown(step)
    yield f"""  <details><summary>{name}</summary><div class="body" tabindex="0" role="region" \
aria-label="{what} {name}"><table>
    <thead><tr>{head}</tr></thead>
    <tbody>
"""
    yield from rows
    yield "    </tbody>\n  </table></div></details>\n"


def _held(step: str, rows: Iterable[HeldRow]) -> Iterator[str]:
    head = _headings(("when", "host", "socket", "state", "queues", "TCP"))
    return _folded(step, "Sockets of", head, map(_held_row, rows))


def _held_row(row: HeldRow) -> str:
    texts = (row.moment, row.host, row.socket, row.state, row.queues, row.tcp)
    cells = "".join(f"<td>{_shown(text)}</td>" for text in texts)
    return f"      <tr>{cells}</tr>\n"


def _counted(step: str, table: CounterTable) -> Iterator[str]:
    head = _headings(("counter", *table.hosts, "is", "says"))
    rows = []
    for row in table.rows:
        changes = "".join(
            f'<td class="change">{f"{change:+d}" if change else "0"}</td>' for change in row.changes
        )
        text, source = (row.meaning.text, row.meaning.source) if row.meaning else ("", "")
        rows.append(
            f'      <tr><th scope="row">{_shown(row.name)}</th>{changes}<td>{_shown(text)}</td>'
            f'<td class="quiet">{_shown(source)}</td></tr>\n'
        )
    return _folded(step, "What was counted in", head, rows)
