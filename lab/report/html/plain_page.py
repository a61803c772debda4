"""A page without a script: sections of a table, a picture and notes."""

from __future__ import annotations

from collections.abc import Sequence

from lab.frozen import frozen
from lab.report.html.page import asset, content_policy, template
from lab.report.svg.ladder import colours, ladder_style


@frozen
class PageSection:
    """A heading and what stands below it."""

    title: str
    rows: Sequence[Sequence[str]] = ()
    """Of a table, the head first; the first cell of each names it."""
    marks: Sequence[str] = ()
    """A class for each row but the head: "same", "first", "second" or "other"."""
    picture: str = ""
    """An SVG element, whose texts are escaped."""
    text: str = ""
    """Lines as a program wrote them."""
    notes: Sequence[str] = ()


def plain_page(title: str, question: str, verdict: str, sections: Sequence[PageSection]) -> str:
    """The page as one HTML document, which refers to nothing outside itself."""
    from markupsafe import Markup

    style = colours() + ladder_style() + asset("page.css") + asset("plain.css")
    shown = [
        {
            "title": section.title,
            "rows": section.rows,
            "marks": section.marks,
            "picture": Markup(section.picture),
            "text": section.text,
            "notes": section.notes,
        }
        for section in sections
    ]
    return template("plain.html").render(
        title=title,
        question=question,
        verdict=verdict,
        sections=shown,
        style=Markup(style),
        policy=content_policy(style),
    )
