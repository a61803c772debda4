"""The file of blocks: it has no name, and is read as it was written."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from lab.errors import MachineError
from lab.kernel.capture import spool
from lab.kernel.capture.spool import SpooledBlock, open_spools, read_blocks, write_block

BLOCKS = (b"a" * 48, b"b" * 4096, b"")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def written(descriptor: int) -> list[int]:
    """BLOCKS as captures 0 to 2; the positions before, between and behind them."""
    ends = [0]
    for capture, data in enumerate(BLOCKS):
        ends.append(write_block(descriptor, ends[-1], capture, memoryview(data)))
    return ends


def test_blocks_are_read_as_they_were_written() -> None:
    with open_spools() as (descriptor, *_):
        ends = written(descriptor)
        expected = [
            SpooledBlock(capture, data, ends[capture] + 8) for capture, data in enumerate(BLOCKS)
        ]
        assert list(read_blocks(descriptor, 0, ends[-1])) == expected
        assert list(read_blocks(descriptor, ends[1], ends[2])) == expected[1:2]
        assert list(read_blocks(descriptor, ends[3], ends[3])) == []


@pytest.mark.parametrize("flag", [os.O_TMPFILE, os.O_DIRECTORY], ids=["unnamed", "named"])
def test_no_name_is_left_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: int
) -> None:
    """Where a file system has no files without names, O_TMPFILE fails with EISDIR."""
    monkeypatch.setattr(os, "O_TMPFILE", flag)
    with open_spools() as (descriptor, *_):
        ends = written(descriptor)
        assert list(tmp_path.iterdir()) == []
        assert len(list(read_blocks(descriptor, 0, ends[-1]))) == len(BLOCKS)


def test_there_are_few_of_them_and_they_are_closed() -> None:
    with open_spools() as spools:
        assert len(spools) == min(os.cpu_count() or 1, spool.MOST)
    for descriptor in spools:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def folder_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink().parent


def test_a_given_folder_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", f"{tmp_path}/none")
    refused = pytest.raises(MachineError, match=f"to a file in {tmp_path}/none: No such file")
    with refused, open_spools():
        pass


def test_without_a_given_folder_the_first_usable_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(spool, "FOLDERS", (f"{tmp_path}/none", str(tmp_path)))
    with open_spools() as spools:
        assert set(map(folder_of, spools)) == {tmp_path}
    monkeypatch.setattr(spool, "FOLDERS", (f"{tmp_path}/none", f"{tmp_path}/nor this"))
    with pytest.raises(MachineError, match="nor this"), open_spools():
        pass


def test_a_file_that_may_not_grow_is_an_error() -> None:
    """A part is written, and the rest refused. Source: getrlimit(2), RLIMIT_FSIZE."""
    with open_spools() as (descriptor, *_):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
            try:
                write_block(descriptor, 0, 0, memoryview(bytes(4096)))
            except OSError:
                os._exit(7)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
