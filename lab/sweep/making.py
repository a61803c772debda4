"""One run of a sweep made, in a process that has nothing else to do."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError, UsageError
from lab.model.family import Family
from lab.sweep.order import RunOrder, digest_of
from lab.sweep.row import RunRow, failed_row, row_of_result

if TYPE_CHECKING:
    from lab.model.scenario import Scenario


def make_run(order: RunOrder) -> RunRow:
    """The row of that run. What keeps it from being made is in its row."""
    from dataclasses import replace

    from lab.run import run_scenario, save_run

    wanted, machine = order.wanted, socket.gethostname()
    began_ns, began = time.time_ns(), time.monotonic()
    try:
        scenario, source = _scenario(order)
        result = run_scenario(
            scenario,
            Family(wanted.family),
            None,
            wanted.trace,
            source=source,
            keeps_secrets=bool(order.keep),
            wire=wanted.wire,
            sysctls=dict(wanted.sysctls),
            pages=False,
            expected=wanted.expected,
        )
        row = row_of_result(wanted, result, machine, time.monotonic() - began)
        if row.outcome in order.keep:
            folder = save_run(result, order.folder)
            row = replace(row, kept=os.path.relpath(folder, Path(order.folder).parent))
    except LabError as error:
        return failed_row(wanted, str(error), machine, began_ns, time.monotonic() - began)
    return row


def _scenario(order: RunOrder) -> tuple[Path | Scenario, str]:
    """What is to be run, and its source where that is not its file. Raises UsageError."""
    from lab.scenario_files import builtin_scenarios, load_scenario

    wanted, file = order.wanted, order.file
    if not file.path:
        builtin = builtin_scenarios()
        if wanted.scenario not in builtin:
            raise UsageError(f"wirelab has no scenario {wanted.scenario!r} on this machine")
        return builtin[wanted.scenario], ""
    path = Path(file.path)
    if digest_of(path) != file.digest:
        raise UsageError(f"{path} is not, on this machine or any more, what the sweep began with")
    if wanted.own:
        return load_scenario(path, dict(wanted.own)), str(path)
    return path, ""
