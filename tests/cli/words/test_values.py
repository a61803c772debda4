"""What options take, read from their words, and what is said of wrong ones."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.cli.words.values import (
    LEAST_SNAP_BYTES,
    LONGEST_S,
    MOST_FRAMES,
    MOST_JOBS,
    MOST_RING_MIB,
    MOST_SNAP_BYTES,
    capability,
    flow,
    number_of_frames,
    number_of_jobs,
    port,
    ring_bytes,
    seconds,
    snap_bytes,
    wire_rules,
)


@pytest.mark.parametrize(
    ("read", "typed", "value"),
    [
        (port, "1", 1),
        (port, "65535", 65535),
        (number_of_jobs, "1", 1),
        (number_of_jobs, str(MOST_JOBS), MOST_JOBS),
        (snap_bytes, str(LEAST_SNAP_BYTES), LEAST_SNAP_BYTES),
        (snap_bytes, str(MOST_SNAP_BYTES), MOST_SNAP_BYTES),
        (ring_bytes, "1", 1 << 20),
        (ring_bytes, str(MOST_RING_MIB), MOST_RING_MIB << 20),
        (number_of_frames, "1", 1),
        (number_of_frames, str(MOST_FRAMES), MOST_FRAMES),
        (seconds, "0.5", 0.5),
        (seconds, str(LONGEST_S), LONGEST_S),
        (flow, "tcp:7", "tcp:7"),
        (flow, "udp:007", "udp:7"),
        (flow, "tcp:000", "tcp:0"),
        (flow, "none", "none"),
        *((capability, name, "CAP_NET_ADMIN") for name in ("CAP_NET_ADMIN", "Net_admin")),
    ],
)
def test_what_a_word_says(read: Callable[[str], object], typed: str, value: object) -> None:
    assert read(typed) == value


@pytest.mark.parametrize(
    ("read", "typed"),
    [
        *((port, typed) for typed in ("", "0", "65536", "-1", "1.0", "\u00bd", "\u00b2", "http")),
        *((number_of_jobs, typed) for typed in ("", "0", str(MOST_JOBS + 1), "-1", "two")),
        *((snap_bytes, typed) for typed in ("", str(LEAST_SNAP_BYTES - 1), "262145", "1k")),
        *((ring_bytes, typed) for typed in ("", "0", str(MOST_RING_MIB + 1), "0.5", "\u00b2")),
        *((number_of_frames, typed) for typed in ("", "0", str(MOST_FRAMES + 1), "-1")),
        *((seconds, typed) for typed in ("", "0", "-1", "nan", "inf", str(LONGEST_S + 1), "soon")),
    ],
)
def test_a_value_out_of_range_is_refused(read: Callable[[str], object], typed: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is no "):
        read(typed)


@pytest.mark.parametrize(
    "typed",
    ["", "tcp", "tcp:", "7", ":7", "tcp 7", "sctp:1", "tcp:-1", "tcp:1x", "tcp:\u00b2", "none:1"],
)
def test_what_names_no_flow_is_refused(typed: str) -> None:
    with pytest.raises(ArgumentTypeError, match="names no flow, as tcp:7, udp:3 and none do"):
        flow(typed)


def test_a_rule_is_itself_and_a_file_has_one_a_line(tmp_path: Path) -> None:
    assert wire_rules("client>server drop SYN 1") == ["client>server drop SYN 1"]
    file = tmp_path / "rules"
    file.write_text("# of a run\nclient>server drop data 2\n\n  # none\nserver>client drop FIN\n")
    assert wire_rules(f"@{file}") == ["client>server drop data 2", "server>client drop FIN"]


@pytest.mark.parametrize(("data", "why"), [(None, "No such file"), (b"\xff", "not text in UTF-8")])
def test_a_file_that_cannot_be_read_is_named(data: bytes | None, why: str, tmp_path: Path) -> None:
    file = tmp_path / "rules"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(ArgumentTypeError, match=why):
        wire_rules(f"@{file}")
