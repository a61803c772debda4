"""Every test of this folder needs the real kernel; where it refuses a sandbox, all are skipped."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside import MARKER, REPOSITORY, wait_until_gone

from lab.errors import LabError
from lab.kernel.sandbox import Sandbox, open_sandbox

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.kernel)


@pytest.fixture(scope="session")
def refusal() -> str:
    """Why no sandbox can be opened here; "" where one can."""
    try:
        with open_sandbox() as sandbox:
            sandbox.call(len, "")
    except LabError as error:
        return str(error)
    return ""


@pytest.fixture(scope="session", autouse=True)
def needs_a_sandbox(refusal: str) -> None:
    if refusal:
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
def sandbox(marker: str) -> Iterator[Sandbox]:
    with open_sandbox() as opened:
        yield opened


@pytest.fixture
def other_scenarios(tmp_path: Path) -> Path:
    """A folder whose scenarios are ours to spoil: the working directory's come first."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "scenarios", tmp_path / "scenarios", ignore=ignored)
    return tmp_path
