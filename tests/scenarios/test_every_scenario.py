"""Every scenario on this machine, once: what is claimed of it, and why what surprises in it."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import pytest
from outside import wirelab

LONGEST_S = 600
"""Many of them wait for timers."""

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(LONGEST_S + 60)]

CAUSES = {
    ("backlog", "a SYN too many"): ["accept-queue-full"],
    ("broadcast", "everybody"): ["broadcast-not-asked-for"],
    ("buffers", "fill"): ["unix-queue-full"],
    ("calls", "datagram-flags"): ["message-cut"],
    ("fragments", "forbidden"): ["packet-too-big"],
    ("half-close", "close"): ["reset-after-close"],
    ("half-close", "shutdown"): ["sending-was-ended"],
    ("multicast", "group"): ["group-not-joined"],
    ("nagle", "nagle"): ["nagle"],
    ("nat", "unsolicited"): ["datagram-nobody"],
    ("raw", "permission"): ["socket-needs-right"],
    ("raw", "uninvited"): ["reset-handshake-by-hand"],
    ("reset", "crash"): ["reset-linger", "reset-half-open"],
    ("reset", "linger"): ["reset-linger"],
    ("reset", "nobody"): ["reset-nobody-listens"],
    ("reset", "unread"): ["reset-unread"],
    ("congestion", "cubic"): ["segment-lost"],
    ("congestion", "reno"): ["segment-lost"],
    ("corrupt", "conversation"): ["segment-lost"],
    ("keepalive", "dead"): ["keep-alive-unanswered"],
    ("loss-data", "fast retransmit"): ["segment-lost"],
    ("loss-data", "tail loss probe"): ["segment-lost"],
    ("loss-data", "timeout"): ["segment-lost"],
    ("loss-fin", "conversation"): ["segment-lost"],
    ("loss-syn", "conversation"): ["syn-lost"],
    ("loss-syn-ack", "conversation"): ["syn-ack-lost"],
    ("pmtu", "black-hole"): ["segment-lost"],
    ("pmtu", "told"): ["segment-lost"],
    ("zero-window", "update"): ["zero-window"],
    ("zero-window", "update-lost"): ["zero-window"],
    ("time-wait", "waiting"): ["address-in-use"],
    ("types", "table"): ["type-and-protocol", "ping-needs-group", "socket-needs-right"],
    ("types", "unconnected"): ["not-listening", "not-connected"],
    ("udp", "nobody"): ["datagram-nobody", "datagram-refused"],
    ("udp", "truncation"): ["message-cut"],
    ("udp-loss", "conversation"): ["datagram-lost"],
    ("unix", "abstract"): ["unix-nobody"],
    ("unix", "names"): [
        *("unix-nobody", "unix-not-allowed", "unix-name-in-use", "unix-name-in-use"),
    ],
    ("unix-types", "datagram"): [
        *["message-cut"] * 3,
        *["no-connections"] * 2,
        *["not-connected"] * 2,
    ],
    ("unix-types", "queue"): ["unix-queue-full"] * 2,
    ("unix-types", "seqpacket"): [*["message-cut"] * 3, *["not-connected"] * 2],
    ("unix-types", "stream"): ["not-connected"] * 2,
    ("user-timeout", "conversation"): ["reset-linger", "segment-lost"],
}
"""The steps whose subject is a cause. No other has one."""


class Runs(NamedTuple):
    """What `wirelab scenarios` said and left behind."""

    done: CompletedProcess[str]
    folder: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """With the best instruments there are, which see more of a run than others."""
    out = tmp_path_factory.mktemp("scenarios")
    words = ("scenarios", "--family", "both", "--out", out)
    return Runs(wirelab(*words, timeout_s=LONGEST_S), out)


def test_every_claim_of_every_scenario_holds_or_is_skipped(runs: Runs) -> None:
    said = runs.done.stdout.splitlines()
    bad = [line for line in said if line.startswith(("BROKEN", "UNDECIDED"))]
    assert (bad, runs.done.stderr, runs.done.returncode) == ([], "", 0)


def test_every_scenario_has_the_causes_that_are_its_subject_and_no_other(runs: Runs) -> None:
    """In whoever's name it runs, and by whichever instrument: IPv4 says as much as both."""
    every = [json.loads(path.read_text()) for path in runs.folder.glob("*/[!l]*/report.json")]
    reports = {each["scenario"]: each for each in every if each["family"] != 6}
    assert len(reports) >= len({scenario for scenario, _ in CAUSES})
    found: dict[tuple[str, str], list[str]] = {}
    for name, report in reports.items():
        for cause in report["causes"]:
            found.setdefault((name, cause["step"]), []).append(cause["name"])
    # Which of two programs comes first, no cause depends on.
    assert {step: sorted(names) for step, names in found.items()} == {
        step: sorted(names) for step, names in CAUSES.items()
    }
