"""Tests run by processes that are forked from pytest's own, each file by the one that takes it.

Workers of pytest-xdist import and collect all tests, each for itself, before the first is run. Of
tests of a millisecond that, and what is said of each test between processes, is an eighth. Here a
file is imported where its tests are run, when they are.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

import pytest
from _pytest.tmpdir import TempPathFactory

_FORKING = get_context("fork")
_NUMBER_BYTES = 2
"""A file's number in the pipe that the workers take their files from; a pipe holds 32,768."""
_END = None
"""A worker's last message: without it, it has not run all that it took."""


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
        files = sorted(self._files, key=_may_take_long, reverse=True)
        numbers, writing = os.pipe()
        os.write(writing, b"".join(map(_as_bytes, range(len(files)))))
        os.close(writing)
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        session.config.pluginmanager.unregister(self)
        workers = dict(
            _fork(_Worker(session, files, numbers, each)) for each in range(self._number)
        )
        os.close(numbers)
        try:
            _report(session, len(files), workers)
        finally:
            for process in workers.values():
                process.kill()
                process.join()
        return True


def _as_bytes(number: int) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big")


def _may_take_long(file: pytest.File) -> tuple[bool, int]:
    """Those with a time limit of their own come first, then long ones."""
    text = file.path.read_bytes()
    return b"mark.timeout(" in text, len(text)


def _fork(worker: _Worker) -> tuple[Connection, Any]:
    """What is heard of the worker, and its process."""
    hears, says = _FORKING.Pipe(duplex=False)
    process = _FORKING.Process(target=worker.run, args=(says,), daemon=True)
    process.start()
    # Here and in what is forked next: its end is then that of the worker.
    says.close()
    return hears, process


def _report(session: pytest.Session, files: int, workers: dict[Connection, Any]) -> None:
    """Say what the workers find, until all have ended. Raises session.Failed as pytest does."""
    hook, config = session.config.hook, session.config
    taken = tests = 0
    last = dict.fromkeys(workers, "it had begun")
    while last:
        ready = wait(list(last))
        for hears in [each for each in last if each in ready]:
            try:
                said = hears.recv()
            except EOFError:
                process = workers[hears]
                process.join()
                pytest.exit(f"a worker ended ({process.exitcode}) after {last[hears]}", 1)
            if said is _END:
                del last[hears]
            elif isinstance(said, int):
                taken, tests = taken + 1, tests + said
                # For the progress that is shown: the others have as many, until they are known.
                session.testscollected = tests * files // taken
            else:
                report = hook.pytest_report_from_serializable(config=config, data=said)
                last[hears] = report.nodeid
                if isinstance(report, pytest.CollectReport):
                    hook.pytest_collectreport(report=report)
                else:
                    hook.pytest_runtest_logreport(report=report)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)


class _Worker:
    """What one process does, also as a plugin of its pytest, which says nothing itself."""

    def __init__(
        self, session: pytest.Session, files: list[pytest.File], numbers: int, number: int
    ) -> None:
        self._session = session
        self._files = files
        self._numbers = numbers
        self._number = number
        self._says: Connection

    def run(self, says: Connection) -> None:
        self._says = says
        session = self._session
        config: Any = session.config
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(self)
        # Neither what is captured nor folders are shared: a fork has its parent's files.
        capture = config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()
        capture.start_global_capturing()
        folder = config._tmp_path_factory.getbasetemp() / f"worker-{self._number}"
        config.option.basetemp = folder
        config._tmp_path_factory = TempPathFactory.from_config(config, _ispytest=True)
        with suppress(KeyboardInterrupt):
            # Before a file's last test is run the next file is collected: what both share stays.
            for item, following in pairwise(chain(self._items(), (None,))):
                config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldfail or session.shouldstop:
                    return
            says.send(_END)

    def _items(self) -> Iterator[pytest.Item]:
        while number := os.read(self._numbers, _NUMBER_BYTES):
            gc.disable()
            items = list(self._session.genitems(self._files[int.from_bytes(number, "big")]))
            self._session.config.hook.pytest_collection_modifyitems(
                session=self._session, config=self._session.config, items=items
            )
            gc.enable()
            self._says.send(len(items))
            yield from items

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._say(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self._say(report)

    def _say(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        config = self._session.config
        data = config.hook.pytest_report_to_serializable(config=config, report=report)
        self._says.send(data)
