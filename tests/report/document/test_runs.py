"""Several runs are one JSON document, however many of them come."""

from __future__ import annotations

import json

import pytest

from lab.report.document.runs import SCHEMA, runs_document


def test_two_runs_are_one_document() -> None:
    written: list[str] = []
    with runs_document(written.append) as add:
        add([("scenario", "tcp"), ("events", iter([{"id": "f1"}, {"id": "f2"}]))])
        first = len(written)
        add([("scenario", "udp"), ("events", iter([]))])
    assert 0 < first < len(written)  # not kept back until the end
    assert json.loads("".join(written)) == {
        "schema": SCHEMA,
        "runs": [
            {"scenario": "tcp", "events": [{"id": "f1"}, {"id": "f2"}]},
            {"scenario": "udp", "events": []},
        ],
    }


def test_it_is_whole_where_the_second_run_fails() -> None:
    written: list[str] = []
    with pytest.raises(RuntimeError), runs_document(written.append) as add:
        add([("scenario", "tcp")])
        raise RuntimeError
    assert json.loads("".join(written))["runs"] == [{"scenario": "tcp"}]


def test_without_a_run_nothing_is_written() -> None:
    written: list[str] = []
    with runs_document(written.append):
        pass
    assert written == []
