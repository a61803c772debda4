"""How much is captured: all, where nothing else is said."""

from __future__ import annotations

from lab.analysis.flows.bracket import ETHERNET_HEADER_BYTES
from lab.cli.words.values import LEAST_SNAP_BYTES
from lab.kernel.capture.canaries import PAYLOAD_BYTES
from lab.kernel.capture.capturing import ALL_OF_IT, Capturing


def test_all_is_captured_where_nothing_else_is_said() -> None:
    assert Capturing(None, None, None) == ALL_OF_IT


def test_canaries_are_never_cut() -> None:
    assert LEAST_SNAP_BYTES >= ETHERNET_HEADER_BYTES + PAYLOAD_BYTES
