"""Tests run by processes that are forked from pytest's own, each file by the one that takes it.

Workers of pytest-xdist import and collect all tests, each for itself, before the first is run. Of
tests of a millisecond that, and what is said of each test between processes, is an eighth. Here a
file is imported where its tests are run, when they are.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby
from mmap import PAGESIZE, mmap
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

import pytest
from _pytest.tmpdir import TempPathFactory

_FORKING = get_context("fork")
_NUMBER_BYTES = 2
"""A file's number in the pipe that the workers take their files from; a pipe holds 32,768."""
_END = None
"""A worker's last message: without it, it has not run all that it took."""
_TOGETHER_S = 0.05
"""For how long a worker keeps what it says of tests, so as to say it at once."""


def forks_for(config: pytest.Config) -> int:
    """How many workers the command line asks for; 0 where one process does as well.

    Raises pytest.UsageError beside what has workers of its own, or would miss what these do.
    """
    option = config.getoption
    asked: str | None = option("forks")
    if asked is None or option("collectonly") or any("::" in each for each in config.args):
        return 0
    for name, other in (("-n", "numprocesses"), ("--cov", "cov_source")):
        if option(other, None):
            raise pytest.UsageError(f"--forks cannot be had with {name}")
    return len(os.sched_getaffinity(0)) if asked == "auto" else int(asked)


class ForkedWorkers:
    """The plugin of pytest that has them: files are found here, and tests in the workers."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._files: list[pytest.File] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Any:
        """What is in a file is for the worker that takes it."""
        if not isinstance(collector, pytest.File):
            return None
        self._files.append(collector)
        return pytest.CollectReport(collector.nodeid, "passed", None, [])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        folders = sorted(_folders(self._files), key=_may_take_long, reverse=True)
        numbers, writing = os.pipe()
        os.write(writing, b"".join(map(_as_bytes, range(len(folders)))))
        os.close(writing)
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        session.config.pluginmanager.unregister(self)
        workers = [
            _Worker(_Runner(session, folders, numbers, each).run) for each in range(self._number)
        ]
        os.close(numbers)
        try:
            _report(session, len(self._files), workers)
        finally:
            for each in workers:
                each.end()
        return True


def _as_bytes(number: int) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big")


def _folders(files: list[pytest.File]) -> list[list[pytest.File]]:
    """The files by their folders: they need the same modules and look at the same recordings."""
    return [list(each) for _, each in groupby(files, lambda file: file.path.parent)]


def _may_take_long(files: list[pytest.File]) -> tuple[bool, int]:
    """Those with a time limit of their own come first, then long ones."""
    texts = [file.path.read_bytes() for file in files]
    return any(b"mark.timeout(" in text for text in texts), sum(map(len, texts))


class _Worker:
    """A process, and what is heard of it."""

    def __init__(self, run: Callable[[_Teller], None]) -> None:
        self.hears, says = _FORKING.Pipe(duplex=False)
        self._running = mmap(-1, PAGESIZE)
        self._process = _FORKING.Process(
            target=run, args=(_Teller(says, self._running),), daemon=True
        )
        self._process.start()
        # Here and in what is forked next: its end is then that of the process.
        says.close()

    def hear(self) -> list[Any]:
        """Its next messages. Ends pytest where it has ended without its last one."""
        try:
            said: list[Any] = self.hears.recv()
        except EOFError:
            self._process.join()
            test = self._running[:].rstrip(b"\0").decode(errors="replace") or "its beginning"
            pytest.exit(f"a worker ended ({self._process.exitcode}) in {test}", 1)
        return said

    def end(self) -> None:
        self._process.kill()
        self._process.join()


class _Teller:
    """What a worker says it by."""

    def __init__(self, says: Connection, running: mmap) -> None:
        self._says = says
        self._running = running
        self._unsaid: list[object] = []
        self._said_s = 0.0

    def runs(self, test: str) -> None:
        """Note, for when that ends the process, which test is run."""
        name = test.encode()[:PAGESIZE]
        self._running[:] = name.ljust(PAGESIZE, b"\0")

    def say(self, message: object, *, at_once: bool = False) -> None:
        """Say it with the next ones: who hears each by itself is woken by each test."""
        self._unsaid.append(message)
        if at_once or monotonic() - self._said_s > _TOGETHER_S:
            self._says.send(self._unsaid)
            self._unsaid = []
            self._said_s = monotonic()


def _report(session: pytest.Session, files: int, workers: list[_Worker]) -> None:
    """Say what the workers find, until all have ended. Raises session.Failed as pytest does."""
    hook, config = session.config.hook, session.config
    taken = tests = 0
    running = {each.hears: each for each in workers}
    while running:
        ready = wait(list(running))
        for hears in [each for each in running if each in ready]:
            for said in running[hears].hear():
                if said is _END:
                    del running[hears]
                elif isinstance(said, int):
                    taken, tests = taken + 1, tests + said
                    # For the progress that is shown: other files have as many, until it is known.
                    session.testscollected = tests * files // taken
                else:
                    report = hook.pytest_report_from_serializable(config=config, data=said)
                    if isinstance(report, pytest.CollectReport):
                        hook.pytest_collectreport(report=report)
                    else:
                        hook.pytest_runtest_logreport(report=report)
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)


class _Runner:
    """What a worker does, as a plugin of its pytest, which says nothing itself."""

    def __init__(
        self, session: pytest.Session, folders: list[list[pytest.File]], numbers: int, number: int
    ) -> None:
        self._session = session
        self._folders = folders
        self._numbers = numbers
        self._number = number
        self._teller: _Teller

    def run(self, teller: _Teller) -> None:
        self._teller = teller
        session = self._session
        config: Any = session.config
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(self)
        # Neither what is captured nor folders are shared: a fork has its parent's files.
        capture = config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()
        capture.start_global_capturing()
        config.option.basetemp = config._tmp_path_factory.getbasetemp() / f"worker-{self._number}"
        config._tmp_path_factory = TempPathFactory.from_config(config, _ispytest=True)
        with suppress(KeyboardInterrupt):
            # Before a file's last test is run the next file is collected: what both share stays.
            items = self._items()
            item = next(items, None)
            while item is not None:
                teller.runs(item.nodeid)
                following = next(items, None)
                config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldfail or session.shouldstop:
                    return
                item = following
            teller.say(_END, at_once=True)

    def _items(self) -> Iterator[pytest.Item]:
        while number := os.read(self._numbers, _NUMBER_BYTES):
            for file in self._folders[int.from_bytes(number, "big")]:
                yield from self._items_of(file)

    def _items_of(self, file: pytest.File) -> list[pytest.Item]:
        session = self._session
        gc.disable()
        items = list(session.genitems(file))
        session.config.hook.pytest_collection_modifyitems(
            session=session, config=session.config, items=items
        )
        gc.enable()
        self._teller.say(len(items))
        return items

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._say(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self._say(report)

    def _say(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        config = self._session.config
        data = config.hook.pytest_report_to_serializable(config=config, report=report)
        self._teller.say(data, at_once=report.failed)
