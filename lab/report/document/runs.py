"""The reports of several runs as one JSON document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from lab.report.document.writing import NamedValue, written

SCHEMA = "wirelab.runs/1"


@contextmanager
def runs_document(
    write: Callable[[str], object],
) -> Iterator[Callable[[Iterable[NamedValue]], None]]:
    """What takes one run's fields after another; they are written at once, as one document.

    It is a whole document too where no more runs come, for whatever reason. Without any run
    nothing is written.
    """
    opened = False

    def add(fields: Iterable[NamedValue]) -> None:
        nonlocal opened
        write(",\n" if opened else f'{{"schema": "{SCHEMA}",\n "runs": [\n')
        opened = True
        for piece in written(fields):
            write(piece)

    try:
        yield add
    finally:
        if opened:
            write(" ]}\n")
