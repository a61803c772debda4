"""The reports of several runs as one JSON document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab.report.document.ids import Document
from lab.report.document.report import write_document

SCHEMA = "wirelab.runs/1"


@contextmanager
def runs_document(write: Callable[[str], object]) -> Iterator[Callable[[Document], None]]:
    """What takes one run's report after another; they are written at once, as one document.

    It is a whole document too where no more runs come, for whatever reason. Without any run
    nothing is written.
    """
    opened = False

    def add(document: Document) -> None:
        nonlocal opened
        write(",\n" if opened else f'{{"schema": "{SCHEMA}",\n "runs": [\n')
        opened = True
        write(write_document(document))

    try:
        yield add
    finally:
        if opened:
            write(" ]}\n")
