"""A command in a cell, without a network: a compiler at work on what was handed in."""

from __future__ import annotations

import os
import select

from lab.errors import ProgramError, UsageError
from lab.kernel.cells.copies import clear_folder, copy_folder
from lab.kernel.cells.open_cell import OpenCell
from lab.kernel.programs.running_program import NEVER_STARTED, RunningProgram
from lab.model.program import Program
from lab.records import Finished

TURN_MS = 10


def run_command(program: Program) -> Finished:
    """What became of a program that is in a cell, once all that it started has ended.

    Runs in a sandbox's init. What is then in its folder replaces what was in the cell's folder on
    the host. Raises KernelRefused, InstrumentError and UsageError.
    """
    assert program.cell is not None
    cell = OpenCell(program.cell)
    try:
        finished = _finished(program, cell)
        _bring_back(cell)
    finally:
        cell.close()
    return finished


def _finished(program: Program, cell: OpenCell) -> Finished:
    try:
        running = RunningProgram(program, None, cell=cell, merged=True)
    except ProgramError as error:
        return Finished(NEVER_STARTED, None, str(error), 0, cell.record(None))
    try:
        while running.ended_ns is None:
            _take_turn(running)
            running.check_output()
            running.check_limits()
        record = running.record("")
    finally:
        cell.kill()
        running.close()
    assert record.cell is not None
    status, beyond = record.exit_status, running.beyond
    is_signal = status < 0
    return Finished(
        None if is_signal else status, -status if is_signal else None,
        record.stdout, beyond, record.cell,
    )  # fmt: skip


def _take_turn(running: RunningProgram) -> None:
    poll = select.poll()
    outputs = {output.descriptor: output for output in running.outputs}
    for descriptor in (*outputs, running.ended):
        poll.register(descriptor, select.POLLIN)
    readable = {descriptor for descriptor, _ in poll.poll(TURN_MS)}
    for descriptor in outputs.keys() & readable:
        running.take(outputs[descriptor])
    if running.ended in readable:
        running.note_end()


def _bring_back(cell: OpenCell) -> None:
    """Make the cell's folder on the host what its copy is now. The command must have ended."""
    cell.kill()
    cell.wait_for_end()
    folder = cell.cell.folder
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        target = os.open(folder, flags)
        try:
            found = os.fstat(target)
            clear_folder(target)
            owner = (found.st_uid, found.st_gid) if os.geteuid() == 0 else None
            copy_folder(cell.submission, target, owner)
        finally:
            os.close(target)
    except OSError as error:
        raise UsageError(
            f"cannot write what a command has made to {folder}: {error.strerror}"
        ) from None
