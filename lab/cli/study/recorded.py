"""Runs by the names of their scenarios or by their folders."""

from __future__ import annotations

import os
from pathlib import Path

from lab.errors import UsageError

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.results import Result

LATEST = "latest"


def recorded_run(name: str, out: str) -> Result | None:
    """The run in a folder of that name, or the latest of that scenario below `out`; else None.

    Raises CaptureFileError for a folder that holds none.
    """
    from lab.run import judged

    if os.sep in name or name in (".", ".."):
        return judged(name)
    latest = Path(out, name, LATEST)
    return judged(str(latest)) if latest.exists() else None


def recorded_runs(names: Sequence[str], out: str) -> list[Result]:
    """Those of the names; without any the latest of every scenario below `out`.

    Raises UsageError where there is none.
    """
    if not names:
        names = sorted(path.parent.name for path in Path(out).glob(f"*/{LATEST}"))
        if not names:
            raise UsageError(f"there is no recorded run in {out}: `wirelab run tcp` makes one")
    runs = []
    for name in names:
        run = recorded_run(name, out)
        if run is None:
            raise UsageError(
                f"there is no recorded run {Path(out, name)}: `wirelab run {name}` makes one"
            )
        runs.append(run)
    return runs
