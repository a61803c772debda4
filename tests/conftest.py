"""What every test has, and fixtures of those that need the real kernel."""

from __future__ import annotations

import gc
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import traced_programs
from _pytest.runner import runtestprotocol
from ad_hoc_run import AdHocRun
from examples import register_profiles
from forked_sandbox import sandboxes_forked
from forked_wirelab import forked_wirelab
from forked_workers import ForkedWorkers, forks_for
from outside import FAMILIES, MARKER, NOBODY, REPOSITORY, environment, wait_until_gone, wirelab
from ptraced import Traced, run_in_a_host
from refusal import why_no_sandbox
from remembered import remember

from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox
from lab.kernel.trace.ptrace.tracer import PtraceTracer
from lab.model.topology import two_hosts

SUPPORT = Path(__file__).parent / "support" / "kernel"
MOST_LINES = 30
"""Of what a failed test said, in the summary of tests/run."""

STARTS = frozenset({"subprocess.Popen", "os.posix_spawn"})
"""Events of the interpreter by which a test starts a program (sys.addaudithook)."""
_MAY = ("kernel", "programs", "browser")
"""The markers of which a test that starts one has one: `make test-fast` leaves those out, and who
does not ask for browsers the last."""
PURE = "not kernel and not programs"
"""What `make test-fast` asks for (-m)."""
_WHOLE_MODULE = re.compile(
    rb"^pytestmark = (?:\[\s*)?pytest\.mark\.(?:kernel|programs)\b", re.MULTILINE
)
"""Where a module, and so each of its tests, is given one of these two markers."""
_unmarked: list[str] = []
"""The test that runs, where it has neither marker."""

register_profiles()
# Until tests are collected: nothing that is made before then is garbage.
gc.disable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--failed-to", type=Path, help="write which tests failed, and why, to this file"
    )
    parser.addoption("--forks", metavar="N", help="run whole files in N forked processes, or auto")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """For tests/run, whose own summary says it last: a log may be kept without its middle."""
    file = terminalreporter.config.getoption("failed_to")
    if file is not None:
        stats = terminalreporter.stats
        failed = [each for kind in ("failed", "error") for each in stats.get(kind, [])]
        file.write_text("".join(map(_failure, failed)), "utf-8")


def _failure(report: pytest.TestReport) -> str:
    """The test, and what its assertion said: the beginning and the end of that."""
    said = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
    if len(said) > MOST_LINES:
        half = MOST_LINES // 2
        said[half:-half] = [f"E   [{len(said) - 2 * half} lines]"]
    return "".join(f"{line}\n" for line in (f"FAILED {report.nodeid}", *said))


def pytest_configure(config: pytest.Config) -> None:
    option = config.getoption
    shows_each_part = option("durations") is not None or option("xmlpath") or option("verbose") > 0
    forks = forks_for(config)
    if (forks or hasattr(config, "workerinput")) and not shows_each_part:
        config.pluginmanager.register(_OneReportATest())
    if forks:
        config.pluginmanager.register(ForkedWorkers(forks))


class _OneReportATest:
    """A worker sends what its tests came to, and nothing else of them.

    Neither that one is begun and ended, nor that nothing went wrong around it: of a test of a
    millisecond it is these messages that take longest, in the worker and in who reads them.
    """

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        for report in runtestprotocol(item, log=False, nextitem=nextitem):
            if report.when == "call" or not report.passed:
                report.keywords = {}  # nobody asks for them afterwards
                item.ihook.pytest_runtest_logreport(report=report)
        return True


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A module of which no test is wanted by its marker need not be imported."""
    if collection_path.suffix != ".py":
        return None
    expression = config.getoption("markexpr")
    words = expression.split()
    if expression == PURE:
        return _is_left_out_whole(collection_path.read_bytes()) or None
    if words[:1] == ["kernel"] and "or" not in words:
        return None if b"mark.kernel" in collection_path.read_bytes() else True
    return None


def _is_left_out_whole(module: bytes) -> bool:
    """Whether each of its tests has a marker of what pure tests do without."""
    found = _WHOLE_MODULE.search(module)
    # A test's text of another test module is no mark of its own.
    return found is not None and module.count(b'"""', 0, found.start()) % 2 == 0


def pytest_collection_finish() -> None:
    remember()
    # Thousands of collected tests stay; no collection of garbage need look at them. Nor again at
    # what a whole one has left, which is remembered, and was a tenth of the time of pure tests.
    gc.freeze()
    gc.callbacks.append(_look_at_nothing_twice)
    gc.enable()


def _look_at_nothing_twice(phase: str, found: dict[str, int]) -> None:
    if phase == "stop" and found["generation"] == 2:
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Those that may take longest come first, so that none is begun when all others are done.

    Browsers are opened when they are asked for: together they take longer than all the rest.
    What root does here as an ordinary user is what that user does here.
    """
    items.sort(key=_longest, reverse=True)
    for item in items:
        if as_sandboxing_nobody.__name__ in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.once)
    if "browser" not in config.getoption("markexpr"):
        not_asked_for = pytest.mark.skip(reason="opens a browser: make test-browser")
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(not_asked_for)


def _longest(item: pytest.Item) -> float:
    """For how many seconds the test may last by a marker of its own; 0 without one."""
    mark = item.get_closest_marker("timeout")
    return 0.0 if mark is None else float(mark.args[0])


def _no_program(event: str, arguments: tuple[Any, ...]) -> None:
    if _unmarked and event in STARTS:
        raise AssertionError(
            f"{_unmarked[0]} starts {arguments[0]}: it needs the marker {' or '.join(_MAY)}"
        )


sys.addaudithook(_no_program)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if not any(item.get_closest_marker(name) for name in _MAY):
        _unmarked.append(item.nodeid)
    try:
        with _not_measured(item):
            return (yield)
    finally:
        _unmarked.clear()


@contextmanager
def _not_measured(item: pytest.Item) -> Iterator[None]:
    """What a test that needs a kernel runs is no part of the coverage that tests/run measures."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = plugin and plugin.cov_controller
    if not controller or not item.get_closest_marker("kernel"):
        yield
        return
    controller.pause()
    try:
        yield
    finally:
        controller.resume()


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Here and not in a fixture, so that pytest reports one place, and all skips in one line.
    if item.get_closest_marker("kernel") and (refusal := why_no_sandbox()):
        pytest.skip(refusal)


@pytest.fixture
def marker(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A value that every process started in this test carries in its environment.

    After the test none of them may be left.
    """
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARKER, value)
    yield value
    wait_until_gone(value)


@pytest.fixture
def forked_sandboxes() -> Iterator[None]:
    """The test's sandboxes are forked: how they start is the subject of tests/kernel/sandbox."""
    with sandboxes_forked():
        yield


@pytest.fixture
def sandbox(marker: str, forked_sandboxes: None) -> Iterator[Sandbox]:
    with open_sandbox() as opened:
        yield opened


@pytest.fixture
def other_scenarios(tmp_path: Path) -> Path:
    """A folder whose `scenarios` are ours to spoil: a copy, to be named with --scenarios."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "scenarios", tmp_path / "scenarios", ignore=ignored)
    return tmp_path


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of one run of tcp for each family."""
    folders = {}
    for family in FAMILIES:
        out = tmp_path_factory.mktemp(f"ipv{family}")
        done = forked_wirelab("run", "tcp", "--family", family, "--out", out)
        assert done.returncode == 0, done.stderr
        folders[family] = (out / "tcp" / "latest").resolve()
    return folders


@pytest.fixture
def copied(runs: dict[str, Path], tmp_path: Path) -> Path:
    """A run's folder to damage."""
    return Path(shutil.copytree(runs["4"], tmp_path / "copied"))


@pytest.fixture(scope="session")
def as_nobody() -> tuple[str, ...]:
    """What makes a command one of an ordinary user's, where this is root."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    if wirelab("list", as_user=prefix).returncode != 0:
        pytest.skip(f"uid {NOBODY} cannot read the lab")
    return prefix


@pytest.fixture(scope="session")
def as_sandboxing_nobody(as_nobody: tuple[str, ...]) -> tuple[str, ...]:
    """The same, where this machine opens a sandbox to an ordinary user."""
    done = subprocess.run(
        [*as_nobody, sys.executable, SUPPORT / "refusal.py"],
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    if reason := done.stdout.strip():
        pytest.skip(f"uid {NOBODY}: {reason}")
    return as_nobody


@pytest.fixture
def anyones_folder(as_nobody: tuple[str, ...]) -> Iterator[Path]:
    """A folder of that user's: tmp_path is for the user who runs the tests alone."""
    with tempfile.TemporaryDirectory(prefix="wirelab-test-") as name:
        if as_nobody:
            os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@pytest.fixture
def needs_ptrace() -> None:
    if reason := PtraceTracer.why_not():
        pytest.skip(reason)


@pytest.fixture
def needs_bpf(sandbox: Sandbox) -> None:
    if reason := sandbox.call(traced_programs.why_not):
        pytest.skip(reason)


@pytest.fixture
def traced(sandbox: Sandbox, needs_ptrace: None) -> Callable[..., Traced]:
    """Runs a program on a host, traced by ptrace."""

    def run(*command: str, kill_after: str = "", kill_with: int = signal.SIGKILL) -> Traced:
        arguments = two_hosts(), [command], kill_after, kill_with
        trace, (ended,) = sandbox.call(run_in_a_host, *arguments)
        return Traced(trace, *ended)

    return run


@pytest.fixture
def ad_hoc(tmp_path: Path, marker: str) -> Callable[..., AdHocRun]:
    """A run of two commands that leaves nothing behind but its folder."""
    return lambda *words, **settings: AdHocRun(tmp_path, *words, **settings)
