"""Real reports keep the schema, and docs/report.md has every field of it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import recorded as r
import traced_runs as t
from jsonschema import Draft202012Validator, validators

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.model.family import Family
from lab.report.document.report import SCHEMA, report_document
from lab.report.document.writing import write_document
from lab.run import run_scenario
from lab.scenario_files import builtin_scenarios

DOCS = Path(__file__).parents[3] / "docs" / "report.md"
NAMES = sorted(folder.name for folder in r.FOLDER.iterdir())
Document = dict[str, Any]


STANDARD = Draft202012Validator.VALIDATORS
VALID: set[tuple[str, str]] = set()
"""Parts of reports, each with the reference to the schema that it was found to keep."""


def names_another(definitions: Any, schema: Any, instance: Any) -> bool:
    """Whether a constant of the schema, such as the kind of an event's id, is not the instance's.

    Then the instance is none of these, and nothing else of it need be looked at.
    """
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "const" in schema:
        return bool(schema["const"] != instance)
    parts = schema.get("properties", {}).items() if isinstance(instance, dict) else ()
    return any(
        name in instance and names_another(definitions, part, instance[name])
        for name, part in parts
    )


def one_of(validator: Any, schemas: list[Any], instance: Any, schema: Any) -> Iterator[Any]:
    """As the standard keyword, but the schemas that it is not are left at their first fault."""
    definitions = schema_of_reports()["$defs"]
    kept = sum(
        not names_another(definitions, each, instance)
        and validator.evolve(schema=each).is_valid(instance)
        for each in schemas
    )
    if kept != 1:
        yield from STANDARD["oneOf"](validator, schemas, instance, schema)


def reference(validator: Any, name: str, instance: Any, schema: Any) -> Iterator[Any]:
    """As the standard keyword, but what was found valid once is not looked at again."""
    part = (name, json.dumps(instance))
    if part not in VALID:
        is_valid = True
        for fault in STANDARD["$ref"](validator, name, instance, schema):
            is_valid = False
            yield fault
        if is_valid:
            VALID.add(part)


QuickValidator = validators.extend(Draft202012Validator, {"oneOf": one_of, "$ref": reference})


@cache
def schema_of_reports() -> Any:
    text = (files("lab.report.document") / "report-2.schema.json").read_text("utf-8")
    return json.loads(text)


@cache
def validator() -> Draft202012Validator:
    schema = schema_of_reports()
    Draft202012Validator.check_schema(schema)
    quick: Draft202012Validator = QuickValidator(schema)
    return quick


def faults(document: Document) -> list[str]:
    """What a document breaks of the schema, once it has been written and read again."""
    read = json.loads(write_document(document))
    return [f"{error.json_path}: {error.message}" for error in validator().iter_errors(read)]


@cache
def document_of(name: str) -> Document:
    return report_document(build_timelines(r.recording_of(name)), ())


@pytest.mark.parametrize("name", NAMES)
def test_the_report_of_a_recording_keeps_the_schema(name: str) -> None:
    assert faults(document_of(name)) == []


@pytest.mark.parametrize(
    "made",
    [t.talk, t.dropped, t.unix_talk, t.unread, lambda: t.talk(told=(), silent=True)],
)
def test_so_does_one_with_drops_queues_or_nothing(made: Callable[[], Timeline]) -> None:
    assert faults(report_document([made()], ())) == []


def test_so_does_one_with_claims_losses_and_failures() -> None:
    for edit in (r.lost(8), r.without(3, 4, 5), r.incomplete, r.without(*range(1, 21))):
        assert faults(report_document(*r.judged(edit(r.recorded(4))))) == []


@pytest.mark.kernel
@pytest.mark.parametrize("scenario", ["tcp", "unix"])
def test_so_does_that_of_a_fresh_run(scenario: str, tmp_path: Path) -> None:
    path = builtin_scenarios()[scenario]
    result = run_scenario(path, Family.IPV4, str(tmp_path), "auto", lambda _: None)
    written = json.loads((result.folder / "report.json").read_text("utf-8"))
    assert [error.message for error in validator().iter_errors(written)] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.update(schema="wirelab.report/1"),
        lambda document: document.update(extra=1),
        lambda document: document.pop("lanes"),
        lambda document: document["events"][0].update(id="f1"),
        lambda document: document["events"][0]["payload"].update(hex="0"),
        lambda document: document["events"][0].pop("sent_ns"),
        lambda document: document["order"][0]["event"].update(number=0),
        lambda document: document["flows"][0].update(resets=["f3"]),
        lambda document: document["lanes"][0].pop("addresses"),
    ],
)
def test_a_report_that_is_otherwise_is_refused(spoil: Callable[[Document], object]) -> None:
    document = copy.deepcopy(document_of("traced-tcp4"))
    assert faults(document) == []
    spoil(document)
    assert faults(document) != []


def properties(schema: object) -> Iterator[str]:
    """The names of all fields, wherever in the schema."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from properties(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from properties(each)


def test_every_field_is_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", DOCS.read_text("utf-8")))
    fields = set(properties(validator().schema))
    assert len(fields) > 100
    assert fields - documented == set()


def test_the_schema_is_that_of_the_reports() -> None:
    schema = validator().schema
    assert isinstance(schema, dict)
    assert schema["properties"]["schema"] == {"const": SCHEMA}
