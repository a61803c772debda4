"""A document as text, a line for each of its parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from lab.report.document.ids import Document

_JSON_TYPES = (dict, list, str, int, float, type(None))

NamedValue = tuple[str, object]
"""A field of a document: what JSON has a type for, or an iterator of objects for their list."""

_LINES = 64
"""So many are written at once."""

_encode = json.JSONEncoder(ensure_ascii=False).encode


def whole(fields: Iterable[NamedValue]) -> Document:
    """The document of these fields, in which an iterator is the list of what it gives."""
    return {name: [*value] if isinstance(value, Iterator) else value for name, value in fields}


def write_document(document: Document) -> str:
    """The document as text, keys in order, one line an event, flow, claim and so on."""
    return "".join(written(document.items()))


def written(fields: Iterable[NamedValue]) -> Iterator[str]:
    """The same of fields, in pieces, as they come.

    A line for each single value would take ten times as long to write: json's fast encoder
    knows no indentation, and a run may have 100,000 events.
    """
    opening = "{\n"
    for name, value in fields:
        yield f"{opening} {_encode(name)}: "
        yield from map(_writable, _value(value))
        opening = ",\n"
    yield "\n}\n"


def _value(value: object) -> Iterator[str]:
    has_lines = isinstance(value, list) and any(isinstance(each, dict) for each in value)
    if isinstance(value, _JSON_TYPES) and not has_lines:
        yield _encode(value)
        return
    assert isinstance(value, Iterable), "a field is JSON, or an iterator"
    items = iter(value)
    first = next(items, None)
    if first is None:
        yield "[]"
        return
    opening = "[\n  "
    items = chain([first], items)
    while lines := [*map(_encode, islice(items, _LINES))]:
        yield opening + ",\n  ".join(lines)
        opening = ",\n  "
    yield "\n ]"


def _writable(text: str) -> str:
    """Surrogates (in a file name that is no UTF-8) cannot be written, but JSON can escape them."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
