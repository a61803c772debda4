"""Replays of a commit's tests/recordings, here and there: the same verdicts, the same events?

Argument: the commit. Prints what differs, and ends with status 1 where anything does.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from tests.against.checkout import Checkout, both

MOST_SHOWN = 20
Document = dict[str, Any]


def replayed(checkout: Checkout, folder: Path) -> Document | str:
    """report.json as this checkout derives it from a recording, or "refused".

    It refuses, with status 2, a recording of a scenario that it does not have; why is on
    standard error.
    """
    with tempfile.TemporaryDirectory() as name:
        copy = shutil.copytree(folder, Path(name) / folder.name)
        try:
            text = checkout.run("-m", "lab", "replay", str(copy), "--json")
        except CalledProcessError as error:
            if error.returncode == 2:
                return "refused"
            if error.returncode not in (1, 4):  # broken or undecided is a result as well
                raise
            text = error.stdout
    document: Document = json.loads(text)
    return document


def event_name(event: str | Document | None) -> str | None:
    """An event as text, whether a report has it as text or by its kind and number."""
    if not isinstance(event, dict):
        return event
    number, program = event["number"], event.get("program", "")
    return {
        "frame": f"f{number}",
        "printed call": f"{program}:{number}",
        "system call": f"{program}#{number}",
    }.get(event["kind"], f"{event['kind']} {number}")


def facts(document: Document) -> Iterator[tuple[str, object]]:
    """What must not change, each fact with a name: verdicts, evidence, events, their order."""
    yield "verdict", document["verdict"]
    for claim in document["claims"]:
        yield f"claim {claim['id']}", claim["verdict"]
        yield f"text of {claim['id']}", claim["text"]
        yield f"source of {claim['id']}", claim["source"]
        yield f"evidence of {claim['id']}", [event_name(each) for each in claim["evidence"]]
    for event in document["events"]:
        name = event_name(event["id"])
        where = f"{event['step']}: {name}"
        yield f"time of {where}", times(event)
        for field in ("obtained", "name", "result", "error", "moved", "old", "new", "reason"):
            if field in event:
                yield f"{field} of {where}", event[field]
    order = [
        (entry["step"], event_name(entry["event"]), entry["host"], entry["concurrent"])
        for entry in document["order"]
    ]
    yield "order of events", order
    yield "flows", [(flow["step"], flow["a"], flow["b"]) for flow in document["flows"]]


def times(event: Document) -> list[object]:
    """Every time of an event."""
    return [value for name, value in sorted(event.items()) if name.endswith("_ns")]


def differences(ours: Document | str, theirs: Document | str) -> Iterator[str]:
    """A line for each fact that is not the same in both, or one for what was refused.

    What both refuse was not compared, so that is a difference too.
    """
    if isinstance(ours, str) or isinstance(theirs, str):
        said = [each if isinstance(each, str) else "judged" for each in (theirs, ours)]
        yield f"not compared: {said[0]} there, {said[1]} here"
        return
    here, there = dict(facts(ours)), dict(facts(theirs))
    for name in dict.fromkeys([*there, *here]):
        mine, other = here.get(name, "missing"), there.get(name, "missing")
        if mine != other:
            yield f"{name}: {other!r} became {mine!r}"


def main(commit: str) -> int:
    status = 0
    with both(commit) as (this, other):
        for folder in sorted((other.folder / "tests" / "recordings").iterdir()):
            found = list(differences(replayed(this, folder), replayed(other, folder)))
            print(f"{folder.name}: {f'{len(found)} differences' if found else 'the same'}")
            for line in found[:MOST_SHOWN]:
                print(f"  {line}")
            status |= bool(found)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
