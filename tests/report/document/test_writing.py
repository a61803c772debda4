"""Documents as text: whole or field by field, the same."""

from __future__ import annotations

import json
from itertools import count

from lab.report.document.writing import write_document, written

DOCUMENT = {
    "schema": "some/1",
    "steps": ["a", "b"],
    "nothing": [],
    "events": [{"id": 1, "name": "\u2028 \udc80"}, {"id": 2}],
    "verdict": None,
}


def test_a_document_has_a_line_for_each_part() -> None:
    text = write_document(DOCUMENT)
    assert text.splitlines(keepends=False)[:1] == ["{"]
    assert text.count("\n") == 10
    assert json.loads(text)["events"][1] == {"id": 2}


def test_what_comes_by_an_iterator_is_written_as_the_list_is() -> None:
    fields = [(k, iter(v) if isinstance(v, list) and k != "steps" else v)
              for k, v in DOCUMENT.items()]  # fmt: skip
    assert "".join(written(fields)) == write_document(DOCUMENT)


def test_a_surrogate_is_escaped() -> None:
    text = write_document(DOCUMENT)
    assert text.encode("utf-8") and "\\udc80" in text


def test_a_list_without_end_is_written_as_it_comes() -> None:
    pieces = written([("events", ({"id": n} for n in count()))])
    assert [next(pieces) for _ in range(4)][-1] == ',\n  {"id": 2}'
