"""The plugin of pytest: the fixtures `lab` and `wire`, the marker `wirelab` (docs/pytest.md).

It is imported by every pytest that finds it installed: what it needs is imported by its fixtures.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lab.testing.bench import Bench
    from lab.testing.faults import Wire

_BENCH = pytest.StashKey["Bench"]()
_FAILED = pytest.StashKey[bool]()

NOTHING_EXPECTED = (
    "the test ran programs in the lab and expected nothing of what was seen: ask the result, "
    "result.tcp().no_reset(), or read the value of a function (docs/expect.md)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `pytest --help`."""
    group = parser.getgroup("wirelab", "wirelab: tests at packet level")
    group.addoption(
        "--wirelab-keep",
        choices=("failed", "all", "none"),
        default="failed",
        help="of which tests the recordings are kept (default: failed)",
    )
    group.addoption(
        "--wirelab-out",
        metavar="DIR",
        default="wirelab-runs",
        help="where they are kept (default: wirelab-runs)",
    )
    group.addoption(
        "--wirelab-html", action="store_true", help="write report.html of each run that is kept"
    )
    group.addoption(
        "--wirelab-strict",
        action="store_true",
        help="fail, and do not skip, where this machine cannot run a test of the lab",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers",
        'wirelab(topology=None, family=4, trace="auto", sysctls=None, needs=""): what the '
        'fixture lab is made of: star(3) or "star:3", 4 or 6; needs="root" skips it for others',
    )


@pytest.fixture(name="lab")
def _lab(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Programs of yours on hosts of a network, and all that goes between them (docs/pytest.md)."""
    import os
    import re
    from pathlib import Path
    from shutil import rmtree

    from lab.testing.bench import Bench, Settings

    node, options = request.node, request.config.option
    asked = _asked(node)
    needs = asked.pop("needs", "")
    if needs not in ("", "root"):
        pytest.fail(f'needs={needs!r}: there is needs="root"', pytrace=False)
    if needs == "root" and os.geteuid() != 0:
        _cannot(request.config, "it needs root")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", node.nodeid).strip("-")
    out = Path(options.wirelab_out) / name
    bench = Bench(out, Settings(with_pages=options.wirelab_html, **asked))
    node.stash[_BENCH] = bench
    yield bench
    has_failed = node.stash.get(_FAILED, False)
    if options.wirelab_keep == "none" or (options.wirelab_keep == "failed" and not has_failed):
        rmtree(out, ignore_errors=True)


@pytest.fixture
def wire(lab: Bench) -> Wire:
    """Faults on the links of the lab's next run: wire.drop("SYN", nth=1) (docs/wire.md)."""
    return lab.wire


def _asked(node: pytest.Item) -> dict[str, Any]:
    """What the marker says, that of the test before that of its class or file."""
    asked: dict[str, Any] = {}
    known = {"topology", "family", "trace", "sysctls", "needs"}
    for marker in node.iter_markers("wirelab"):
        wrong = sorted(set(marker.kwargs) - known) or [str(each) for each in marker.args]
        if wrong:
            pytest.fail(
                f"the marker wirelab takes {', '.join(sorted(known))}, not {', '.join(wrong)}",
                pytrace=False,
            )
        asked = {**marker.kwargs, **asked}
    return asked


def _cannot(config: pytest.Config, why: str) -> None:
    if config.option.wirelab_strict:
        pytest.fail(f"wirelab cannot run this: {why}", pytrace=False)
    pytest.skip(f"wirelab cannot run this: {why}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Skip where the machine cannot run a lab; fail a test that ran one and expected nothing."""
    try:
        yield
    except Exception as error:
        if _BENCH in item.stash:
            from lab.errors import MachineError

            if isinstance(error, MachineError):
                _cannot(item.config, str(error))
        raise
    bench = item.stash.get(_BENCH, None)
    if bench is not None and bench.results and not bench.has_expected:
        pytest.fail(NOTHING_EXPECTED, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which tests failed: their recordings are kept."""
    report = yield
    if report.failed and _BENCH in item.stash:
        item.stash[_FAILED] = True
    return report
