"""A sweep on disk: its rows in Parquet files, of which none is ever changed.

    DIR/sweep.json          what the sweep is
    DIR/parts/N.parquet     rows, in the order in which they came
    DIR/runs.parquet        all of them, once all runs were made

A part is written under another name and gets its own by rename(2), so that it is there whole or not
at all, whenever the sweep is killed. What is counted as made is on disk by then. Two parts can have
the same row where a killed sweep was about to put them together: rows are read by their keys.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.errors import ExtraMissing, UsageError
from lab.recording.artifacts import check_writable, give_to_invoker
from lab.recording.folder_lock import alone_in
from lab.sweep.parameter import COLUMNS, FAMILY, TRACE, ParameterValue
from lab.sweep.row import RunRow

SCHEMA = "wirelab.sweep/1"
ABOUT, PARTS, RUNS = "sweep.json", "parts", "runs.parquet"
MOST_PARTS = 200
"""When there are so many they are put together."""
_LARGE = 10_000
"""A part of so many rows stays as it is."""
_UNFINISHED = ".writing"


def check_installed() -> None:
    """Raise ExtraMissing where what reads and writes tables is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise ExtraMissing("sweeps are kept as Parquet, by pyarrow", "sweep") from None


class SweepStore:
    """The rows of one sweep, in its folder."""

    def __init__(self, folder: Path, columns: Mapping[str, Sequence[ParameterValue]]) -> None:
        """`columns` are the sweep's parameters with their values."""
        self.folder = folder
        self._columns = {n: v for n, v in columns.items() if n not in (FAMILY, TRACE)}
        parts = self._parts()
        self._next = 1 + max((int(path.stem) for path in parts), default=0)
        self._small = len(parts)

    def add(self, rows: Sequence[RunRow]) -> None:
        """Have these rows on disk, all or none. Raises UsageError."""
        if rows:
            self._write(self.folder / PARTS / f"{self._next}.parquet", self._table(rows))
            self._next += 1
            self._small += 1
            if self._small >= MOST_PARTS:
                self._put_together()

    def keys(self) -> dict[str, bool]:
        """By the keys of the rows that are there, whether the run could be made."""
        found: dict[str, bool] = {}
        for path in self._files():
            table = _read(path, ["key", "outcome"])
            for key, outcome in zip(
                table["key"].to_pylist(), table["outcome"].to_pylist(), strict=True
            ):
                found[key] = found.get(key, False) or bool(outcome)
        return found

    def finish(self) -> Path:
        """Put all rows into one file, `runs.parquet`, its path. Raises UsageError."""
        path = self.folder / RUNS
        parts = self._parts()
        if parts or not path.exists():
            self._write(path, self.table())
            for part in parts:
                part.unlink()
        return path

    def table(self) -> Any:  # noqa: ANN401  pyarrow has no types
        """All rows, each once, in the order in which they were begun, as pyarrow.Table."""
        import pyarrow as pa

        tables = [self._table(()), *map(_read, self._files())]
        joined = pa.concat_tables(tables, promote_options="permissive")
        chosen: dict[str, tuple[bool, int]] = {}
        keys, outcomes = joined["key"].to_pylist(), joined["outcome"].to_pylist()
        for place, (key, outcome) in enumerate(zip(keys, outcomes, strict=True)):
            # One that was made goes before one that could not be; then the later one.
            chosen[key] = max(chosen.get(key, (False, -1)), (bool(outcome), place))
        once = joined.take(sorted(place for _, place in chosen.values()))
        return once.sort_by([("began", "ascending"), ("key", "ascending")])

    def rows(self) -> Iterator[dict[str, Any]]:
        """The same a row at a time, by column; of `counters` a mapping."""
        for batch in self.table().to_batches(max_chunksize=1000):
            for row in batch.to_pylist():
                yield {**row, "counters": dict(row["counters"] or ())}

    def _parts(self) -> list[Path]:
        paths = (self.folder / PARTS).glob("*.parquet")
        return sorted(paths, key=lambda path: int(path.stem))

    def _files(self) -> list[Path]:
        runs = self.folder / RUNS
        return [*([runs] if runs.exists() else []), *self._parts()]

    def _put_together(self) -> None:
        """Make one part of the small ones. Killed between, it leaves rows twice, read once."""
        import pyarrow as pa

        parts = [path for path in self._parts() if _count(path) < _LARGE]
        tables = [*map(_read, parts)]
        joined = pa.concat_tables(tables, promote_options="permissive")
        self._write(self.folder / PARTS / f"{self._next}.parquet", joined)
        self._next += 1
        self._small = 1
        for path in parts:
            path.unlink()

    def _write(self, path: Path, table: Any) -> None:  # noqa: ANN401
        from pyarrow import parquet

        unfinished = path.with_name(path.name + _UNFINISHED)
        try:
            with unfinished.open("wb") as file:
                parquet.write_table(table, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            give_to_invoker(unfinished)
            unfinished.rename(path)
        except OSError as error:
            raise UsageError(
                f"cannot write {path}: {error.strerror or error}; what was made before is there, "
                "and the same command goes on"
            ) from None

    def _table(self, rows: Sequence[RunRow]) -> Any:  # noqa: ANN401
        import pyarrow as pa

        over = [(name, type_of(values)) for name, values in self._columns.items()]
        made = [
            {
                **{name: value for name, value in row.as_json().items() if name != "over"},
                "began": row.began_ns // 1000,
                "scenario": _storable(row.scenario),
                "failure": _storable(row.failure) or None,
                "outcome": row.outcome or None,
                "kept": _storable(row.kept) or None,
                "counters": list(row.counters.items()),
                **{name: _as(kind, row.over.get(name)) for name, kind in over},
            }
            for row in rows
        ]
        types = {"int": pa.int64(), "float": pa.float64(), "str": pa.string()}
        schema = pa.schema(
            [
                ("key", pa.string()),
                ("scenario", pa.string()),
                ("family", pa.int8()),
                ("trace", pa.string()),
                *((name, types[kind]) for name, kind in over),
                ("seed", pa.int64()),
                ("outcome", pa.string()),
                ("failure", pa.string()),
                *((name, pa.int32()) for name in ("holds", "broken", "undecided", "skipped")),
                ("not_held", pa.list_(pa.string())),
                ("began", pa.timestamp("us", "UTC")),
                *((name, pa.float64()) for name in ("took_s", "lasted_s", "handshake_s")),
                *((name, pa.int64()) for name in ("frames", "lost", "wire_bytes")),
                ("payload_bytes", pa.int64()),
                ("retransmissions", pa.int64()),
                ("goodput_bps", pa.float64()),
                ("counters", pa.map_(pa.string(), pa.int64())),
                ("machine", pa.string()),
                ("kernel", pa.string()),
                ("kept", pa.string()),
            ]
        )
        return pa.Table.from_pylist(made, schema=schema)


def _read(path: Path, columns: list[str] | None = None) -> Any:  # noqa: ANN401
    """The pyarrow.Table of a file; opened here, since pyarrow takes names of UTF-8 alone."""
    from pyarrow import parquet

    with path.open("rb") as file:
        return parquet.read_table(file, columns=columns)


def _count(path: Path) -> int:
    """How many rows a file has."""
    from pyarrow import parquet

    with path.open("rb") as file:
        return int(parquet.read_metadata(file).num_rows)


def _storable(text: str) -> str:
    """The text without surrogates, which names of files that are no UTF-8 have."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def type_of(values: Iterable[ParameterValue]) -> str:
    """The type of a column that has these values: "int", "float" or "str"."""
    kinds = {type(value) for value in values}
    if kinds <= {int}:
        return "int"
    return "float" if kinds <= {int, float} else "str"


def _as(kind: str, value: ParameterValue | None) -> ParameterValue | None:
    if value is None:
        return None
    return str(value) if kind == "str" else float(value) if kind == "float" else value


@contextmanager
def open_store(
    folder: Path, about: Mapping[str, Any], columns: Mapping[str, Sequence[ParameterValue]]
) -> Iterator[SweepStore]:
    """The rows of a sweep, which nobody else has open; its folder is made where there is none.

    `about` is what the sweep is; below "same" it has what may not differ from what the folder has
    already. Raises UsageError.
    """
    check_installed()
    if clash := sorted(COLUMNS.intersection(columns)):
        raise UsageError(f"--over {clash[0]}: a table of runs has another column of that name")
    check_writable(folder)
    try:
        for path in (folder, folder / PARTS):
            path.mkdir(parents=True, exist_ok=True)
            give_to_invoker(path)
    except OSError as error:
        raise UsageError(f"cannot make {folder}: {error.strerror}") from None
    with alone_in(folder, "another sweep is writing to"):
        for left in folder.rglob(f"*{_UNFINISHED}"):
            left.unlink()  # of a sweep that was killed
        _write_about(folder / ABOUT, about)
        yield SweepStore(folder, columns)


def _write_about(path: Path, about: Mapping[str, Any]) -> None:
    """Write what the sweep is; raise UsageError where the folder is that of another one."""
    try:
        old = json.loads(path.read_text("utf-8"))
        known = old["same"] if old["schema"] == SCHEMA else None
    except FileNotFoundError:
        known = about["same"]
    except (OSError, ValueError, KeyError, TypeError):
        known = None
    if known is None:
        raise UsageError(f"{path} is of no sweep, or of another wirelab's; use --out DIR")
    for name, value in about["same"].items():
        if known.get(name, value) != value:
            raise UsageError(
                f"{path.parent} has another sweep: its {name} differ; use --out DIR for this one"
            )
    fields = {"schema": SCHEMA, **about, "same": {**known, **about["same"]}}
    unfinished = path.with_name(path.name + _UNFINISHED)
    unfinished.write_text(json.dumps(fields, indent=2) + "\n", "utf-8")
    give_to_invoker(unfinished)
    unfinished.rename(path)
