"""Rows of sweeps that nobody has run."""

from __future__ import annotations

from typing import Any

from lab.sweep.grid import Grid, Wanted
from lab.sweep.parameter import parameters_of
from lab.sweep.row import RunRow, failed_row

LINKS = ("client-server",)


def wanted_runs(*over: str, repeat: int = 1) -> list[Wanted]:
    """The runs of `tcp` over these."""
    return list(Grid(("tcp",), parameters_of(over, {}), repeat).runs(lambda name, own: LINKS))


def made_row(wanted: Wanted, **values: Any) -> RunRow:
    """The row of a run that was made, with these measurements."""
    from dataclasses import replace

    row = failed_row(wanted, "", "here", 1_700_000_000_000_000_000 + wanted.seed * 1_000_000, 0.5)
    measured: dict[str, Any] = {
        "outcome": "HOLDS", "holds": 3, "frames": 12, "lost": 0, "wire_bytes": 900,
        "payload_bytes": 90, "retransmissions": 0, "goodput_bps": 1e6, "lasted_s": 0.25,
        "counters": {"TcpInSegs": 12},
    }  # fmt: skip
    return replace(row, **(measured | values))
