"""The page: what it says at once, and the parts that its script draws."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lab.analysis.explain.display_filter import TELLING
from lab.frozen import frozen
from lab.model.event import EventId
from lab.report.html.page_text import PageHead, page_text
from lab.report.svg.ladder import colours
from lab.report.svg.visible import visible, visible_lines

if TYPE_CHECKING:
    from jinja2 import Environment, Template

ASSETS = Path(__file__).with_name("assets")
STYLES = ("page.css", "ladder.css", "panes.css")
SCRIPTS = ("fields.js", "ladder.js", "detail.js", "graphs.js", "controls.js", "page.js")

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028",
            "\u2029": "\\u2029"}  # fmt: skip


@frozen
class PageIndex:
    """The parts of a page, before any of them is made."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    """The cells of each in the table of parts."""
    opens_at_once: bool = True
    """Whether the first part is drawn before one is asked for."""


def render_page(
    head: PageHead, index: PageIndex, documents: Iterable[dict[str, Any]]
) -> Iterator[str]:
    """The page as an HTML document, piece by piece, which refers to nothing outside itself.

    `documents` are the parts', each made when the page has come to it.
    """
    style, script = _style(), _script()
    return page_text(
        head,
        index.rows,
        policy=content_policy(style, script),
        style=style,
        script=script,
        bench=asset("bench.html"),
        views=asset("views.html"),
        index=json_for_html(_index_document(head, index)),
        documents=map(json_for_html, documents),
    )


def address_of(part: str, event: EventId) -> str:
    """Where an event is in the page, as a link has it: "#conversation/f3"."""
    return f"#{quote(visible(part), safe='')}/{quote(visible(str(event)), safe='')}"


def json_for_html(value: object) -> str:
    """JSON that may stand in a script element: nothing in it ends that, or begins a comment.

    Source: HTML standard, 4.12.1.3, "Restrictions for contents of script elements".
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    # Surrogates, of a file name that is no UTF-8, cannot be written.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _index_document(head: PageHead, index: PageIndex) -> dict[str, Any]:
    return {
        "title": visible(head.title),
        "parts": [visible(name) for name in index.names],
        "opens": index.opens_at_once,
        "telling": [[header, list(names)] for header, names in TELLING.items()],
    }


def get_ready() -> None:
    """Do now what any page needs, so that the first one is made sooner."""
    _style()
    _script()


@cache
def template(name: str) -> Template:
    """The template in that file of the assets: compiling it takes longer than to fill it in."""
    return _environment().from_string(asset(name))


def _environment() -> Environment:
    """What makes templates; each value in them is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["visible"] = visible
    environment.filters["visible_lines"] = visible_lines
    return environment


def content_policy(style: str, script: str = "") -> str:
    """A content security policy: these styles and this script, and nothing from anywhere."""
    scripts = f"script-src '{_digest(script)}'; " if script else ""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; {scripts}"
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}"


@cache
def _style() -> str:
    return colours() + "".join(map(asset, STYLES))


@cache
def _script() -> str:
    return "'use strict';\n" + "".join(map(asset, SCRIPTS))


def asset(name: str) -> str:
    """A file of this folder's assets."""
    return (ASSETS / name).read_text("utf-8")
