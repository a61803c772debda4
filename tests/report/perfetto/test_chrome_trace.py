"""A run's trace keeps the rules of its format, and counts what the other outputs count."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import traced_runs as t
from recorded import recording_of
from scenes import RECORDINGS

from lab.analysis.assembly import build_timelines
from lab.analysis.timeline import Timeline
from lab.report.document.report import report_document
from lab.report.perfetto.chrome_trace import chrome_trace, trace_events

RUNS = ("tcp4", "traced-tcp4", "traced-udp4", "traced-unix4", "relayed4", "traced-calls4", "types4")
NEAR = 1e-6  # µs: a thousandth of the nanosecond that times are known to


@cache
def timelines_of(name: str) -> tuple[Timeline, ...]:
    return tuple(build_timelines(recording_of(name)))


def trace_of(name: str) -> list[dict[str, Any]]:
    document = json.loads(chrome_trace(timelines_of(name)))
    assert document["displayTimeUnit"] == "ns"
    events = document["traceEvents"]
    assert isinstance(events, list)
    return events


def of_phase(events: list[dict[str, Any]], phase: str) -> list[dict[str, Any]]:
    return [event for event in events if event["ph"] == phase]


@pytest.mark.parametrize("name", RUNS)
def test_slices_of_a_row_follow_each_other(name: str) -> None:
    rows: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for each in of_phase(trace_of(name), "X"):
        rows.setdefault((each["pid"], each["tid"]), []).append(each)
    assert rows
    for row in rows.values():
        assert all(each["ts"] >= 0 and each["dur"] >= 0 for each in row)
        assert all(a["args"]["end_ns"] < b["args"]["start_ns"] for a, b in pairwise(row))
        assert all(a["ts"] < b["ts"] for a, b in pairwise(row))


@pytest.mark.parametrize("name", RUNS)
def test_every_row_has_a_name_of_its_own(name: str) -> None:
    events = trace_of(name)
    processes = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    threads = {
        (e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"
    }
    assert len(set(processes.values())) == len(processes)
    assert {(e["pid"], e["tid"]) for e in of_phase(events, "X")} == set(threads)
    assert len({(pid, title) for (pid, _), title in threads.items()}) == len(threads)


@pytest.mark.parametrize("name", RUNS)
def test_arrows_go_forward_from_slice_to_slice(name: str) -> None:
    events = trace_of(name)
    slices = of_phase(events, "X")
    arrows: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        if event["ph"] in "stf":
            arrows.setdefault(event["id"], []).append(event)
            around = [
                each
                for each in slices
                if (each["pid"], each["tid"]) == (event["pid"], event["tid"])
                and each["ts"] - NEAR <= event["ts"] < each["ts"] + each["dur"]
            ]
            assert len(around) == 1
    for steps in arrows.values():
        assert [e["ph"] for e in steps] == ["s", *["t"] * (len(steps) - 2), "f"]
        assert all(a["ts"] <= b["ts"] for a, b in pairwise(steps))


@pytest.mark.parametrize("name", RUNS)
def test_it_has_as_many_events_as_report_json(name: str) -> None:
    slices = of_phase(trace_of(name), "X")
    document = report_document(timelines_of(name), ())
    for category, kind in (("frame", "frame"), ("call", "system call")):
        found = {e["args"]["event"] for e in slices if e["cat"] == category}
        assert len(found) == sum(e["id"]["kind"] == kind for e in document["events"])
    calls = [e for e in slices if e["cat"] == "call"]
    assert len(calls) == len({e["args"]["event"] for e in calls})
    seen = [e["args"] for e in slices if e["cat"] == "frame"]
    sightings = sum(args["seen_leaving"] + args["seen_arriving"] for args in seen)
    assert sightings == document["capture"]["frames"]


@pytest.mark.programs
@pytest.mark.skipif(not shutil.which("tshark"), reason="needs tshark")
@pytest.mark.parametrize("name", RUNS)
def test_frames_were_seen_as_often_as_tshark_says(name: str) -> None:
    # The lab's own canaries are of none of these protocols.
    words = ("-r", RECORDINGS / name / "recording.pcapng", "-Y", "arp or ip or ipv6")
    done = subprocess.run(["tshark", *words], capture_output=True, text=True, check=True)
    seen = [e["args"] for e in of_phase(trace_of(name), "X") if e["cat"] == "frame"]
    sightings = sum(args["seen_leaving"] + args["seen_arriving"] for args in seen)
    assert sightings == len(done.stdout.splitlines()) > 0


def processes_of(events: list[dict[str, Any]], phase: str) -> set[str]:
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    return {names[e["pid"]] for e in of_phase(events, phase)}


def test_a_send_reaches_its_read_over_its_frame() -> None:
    events = trace_of("traced-tcp4")
    assert processes_of(events, "t") == {"links"}
    assert processes_of(events, "s") == processes_of(events, "f") == {"server", "client"}


def test_bytes_of_unix_sockets_go_from_call_to_call() -> None:
    events = trace_of("traced-unix4")
    assert processes_of(events, "s") >= {"conversation: client", "conversation: server"}
    assert processes_of(events, "t") == {"loopback: links"}


def test_a_call_that_never_returned_says_so() -> None:
    slices = of_phase(trace_events([t.talk()]), "X")
    calls = {e["args"]["event"]: e["args"]["returned"] for e in slices if e["cat"] == "call"}
    assert [name for name, returned in calls.items() if not returned] == ["client#9"]


def test_frames_in_flight_at_once_are_on_rows_of_their_own() -> None:
    timeline = timelines_of("tcp4")[0]
    first, *others = (c for c in timeline.crossings if c.sender == "client")
    long = replace(first, received_ns=others[-1].received_ns)
    events = trace_events([replace(timeline, crossings=(long, *others))])
    rows = [e["args"]["name"] for e in events if e["name"] == "thread_name"]
    assert rows == ["client → server", "client → server (2)"]
