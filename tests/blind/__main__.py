"""The whole table, as `make blind` prints it. Ends with status 1 where a claim is wrong."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys

from remembered import remember

from tests.blind.matrix import subjects, trials, untried
from tests.blind.table import Table

_SUBJECTS = list(subjects())


def _table_of(place: int) -> Table:
    """A subject's; it is named by its place, since claims cannot be pickled."""
    table = Table()
    found = list(trials(_SUBJECTS[place]))
    table.add(found)
    table.add(untried(_SUBJECTS[place], {trial.instrument for trial in found}))
    return table


def main() -> int:
    table = Table()
    remember()
    # What all subjects consist of stays; no collection of garbage need look at it.
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
        for part in pool.imap(_table_of, range(len(_SUBJECTS))):
            table.merge(part)
    print("\n".join(table.lines()))
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
