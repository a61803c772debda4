"""What is said of unix sockets' silence, where a program is not silent for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from event_ids import named
from forked_wirelab import forked_wirelab

pytestmark = pytest.mark.kernel

DEMO = Path("scenarios/demos/unix_stream_client.py")
CONNECTED = "    for message in MESSAGES:\n"
LEAK = """\
    leak = socket.socket(socket.AF_INET{suffix}, socket.SOCK_DGRAM)
    leak.sendto(b"I should not have said this.", ("{address}", 9))
    leak.close()
"""
LEAKS = [
    ("4", "198.51.100.2", "client/eth0"),
    ("4", "127.0.0.1", "client/lo"),
    ("6", "2001:db8::2", "client/eth0"),
    ("6", "::1", "client/lo"),
]


def run_unix(folder: Path, family: str) -> tuple[int, dict[str, Any]]:
    """Exit status and report of a run of `unix` in a folder, of its own scenarios if it has any."""
    own = ("--scenarios", "scenarios") if (folder / "scenarios").is_dir() else ()
    done = forked_wirelab("run", "unix", *own, "--family", family, "--json", cwd=folder)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(("family", "address", "point"), LEAKS)
def test_one_leaked_datagram_breaks_the_claim_of_silence(
    other_scenarios: Path, marker: str, family: str, address: str, point: str
) -> None:
    demo = other_scenarios / DEMO
    text = demo.read_text()
    leak = LEAK.format(suffix="6" if family == "6" else "", address=address)
    demo.write_text(text.replace(CONNECTED, leak + CONNECTED))
    assert demo.read_text() != text

    status, report = run_unix(other_scenarios, family)

    assert status == 1, [run for run in report["programs"] if "failure" in run]
    broken = [claim for claim in report["claims"] if claim["verdict"] != "HOLDS"]
    assert [(claim["id"], claim["verdict"]) for claim in broken] == [
        ("unix-silent", "BROKEN"),
        ("unix-same-calls", "BROKEN"),
    ]
    assert point in broken[0]["why"]
    frames = {
        named(event["id"]): event for event in report["events"] if event["id"]["kind"] == "frame"
    }
    leaked = [frames[named(each)]["summary"] for each in broken[0]["evidence"]]
    assert any("UDP" in summary for summary in leaked), leaked


@pytest.mark.parametrize("family", ["4", "6"])
def test_the_kernel_is_seen_to_hold_the_programs_sockets_and_no_others(
    tmp_path: Path, marker: str, family: str
) -> None:
    _, report = run_unix(tmp_path, family)
    seen = {socket["inode"]: socket for socket in report["sockets"]}
    assert sorted(socket["state"] for socket in seen.values()) == [
        "ESTABLISHED", "ESTABLISHED", "LISTEN",
    ]  # fmt: skip
    ends = [socket for socket in seen.values() if socket["state"] == "ESTABLISHED"]
    assert [seen[end["peer_inode"]] for end in ends] == ends[::-1]
    assert sorted(end["receive_queue"] for end in ends) == [0, 48]
    assert {socket["checkpoint"] for socket in seen.values()} == {"unread"}
