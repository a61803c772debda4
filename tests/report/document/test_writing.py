"""Documents as text: whole or field by field, the same."""

from __future__ import annotations

import json
from itertools import count, islice

import pytest

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
    begun = "".join(islice(pieces, 5))
    lines = begun.split("\n")[2:]
    assert 100 < len(lines) < 1000
    assert lines == [f'  {{"id": {n}}},' for n in range(len(lines) - 1)] + [
        f'  {{"id": {len(lines) - 1}}}'
    ]


@pytest.mark.parametrize("lines", [1, 63, 64, 65, 128, 200])
def test_many_lines_are_written_as_few_are(lines: int) -> None:
    events = [{"id": n, "name": "é" * (n % 2)} for n in range(lines)]
    text = write_document({"events": events})
    assert json.loads(text) == {"events": events}
    assert text.count("\n") == lines + 4
