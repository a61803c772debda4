"""Results for GitHub Actions: annotations at the claims' lines, and a job's summary.

Source: docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.model.claim import Outcome

if TYPE_CHECKING:
    from lab.report.ci.junit import Place, PlaceOf
    from lab.results import Result

_ERRORS = frozenset({Outcome.BROKEN, Outcome.UNDECIDED})


def annotate(results: Sequence[Result], place_of: PlaceOf, error: str = "") -> Iterator[str]:
    """A workflow command for each claim that does not hold, and each program that failed.

    `error` is what ended the command early, or "".
    """
    if error:
        yield annotation(error, "wirelab")
    for result in results:
        for failure in result.failures:
            yield annotation(failure, result.scenario)
        for judgement in result.judgements:
            claim, verdict = judgement.claim, judgement.verdict
            if verdict.outcome not in _ERRORS:
                continue  # what was skipped is in the summary
            title = f"{claim.id} {verdict.outcome.value}"
            yield annotation(f"{judgement.text} {verdict.why}", title, place_of(claim))


def annotation(message: str, title: str, place: Place | None = None) -> str:
    """The workflow command of an error."""
    where = "" if place is None else f"file={_property(place[0])},line={place[1]},"
    return f"::error {where}title={_property(title)}::{_message(message)}"


def summarize(results: Sequence[Result], error: str = "") -> str:
    """The job's summary, in Markdown: a table of claims for each run."""
    lines = [f"**wirelab ended early:** {_cell(error)}", ""] if error else []
    for result in results:
        lines += [f"### wirelab: {_cell(result.title)}", ""]
        lines += [f"- **program failed:** {_cell(failure)}" for failure in result.failures]
        lines += ["", "| claim | verdict | why |", "|---|---|---|"]
        for judgement in result.judgements:
            verdict = judgement.verdict
            cells = (judgement.text, verdict.outcome.value, verdict.why)
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
        lines.append("")
    return "\n".join(lines) + "\n"


def _message(text: str) -> str:
    """A command's text: on one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A command's property: neither `:` nor `,` ends it."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Text in a table: on one line, no markup."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    for character in "\\`*_{}[]<>|#~$":
        plain = plain.replace(character, f"\\{character}")
    return plain
