"""packets.parquet and flows.parquet: a packet table for DuckDB, polars and others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.errors import ExtraMissing, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from lab.analysis.flow_summary import FlowSummary
    from lab.analysis.table.summaries import TableNotes
    from lab.analysis.table.table import PacketTable

PACKETS, FLOWS = "packets.parquet", "flows.parquet"
ROWS = 1 << 17
"""So many packets are made ready at once, and are a row group of the file."""


def check_parquet() -> None:
    """Raise ExtraMissing where what writes the files, the extra `parquet`, is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise ExtraMissing("Parquet files are written by pyarrow", "parquet") from None


def write_parquet(
    table: PacketTable, notes: TableNotes, flows: Sequence[FlowSummary], folder: Path
) -> tuple[Path, Path]:
    """Write both files into a folder, which is made if it is not there; their paths.

    Raises ExtraMissing where pyarrow is not installed, UsageError where they cannot be written.
    """
    check_parquet()
    from pyarrow import parquet

    from lab.report.parquet.tables import flow_table, packet_batches

    paths = folder / PACKETS, folder / FLOWS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Opened here, since pyarrow takes names of UTF-8 alone.
        with paths[1].open("wb") as file:
            parquet.write_table(flow_table(flows), file)
        batches = packet_batches(table, notes, [flow.name for flow in flows], ROWS)
        first = next(batches)
        with paths[0].open("wb") as file, parquet.ParquetWriter(file, first.schema) as writer:
            writer.write_batch(first)
            for batch in batches:
                writer.write_batch(batch)
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror or error}") from None
    return paths
