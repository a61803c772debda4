"""Every test that traces does so by both loops: Python's, and that of stops.c where cc is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ptraced import use_library

from lab.kernel.trace.ptrace.library import compile_library


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """stops.c, compiled for the tests."""
    if shutil.which("cc") is None:
        pytest.skip("no compiler of C")
    path = tmp_path_factory.mktemp("stops") / "stops.so"
    compile_library(path)
    return path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Of what traces in the tests' own sandbox."""
    names = set(metafunc.fixturenames)
    if "needs_ptrace" in names and names & {"sandbox", "traced"}:
        metafunc.parametrize("needs_ptrace", ["python", "c"], indirect=True)


@pytest.fixture
def needs_ptrace(request: pytest.FixtureRequest, needs_ptrace: None) -> None:
    """As for other tests; where it has a parameter, traced by that loop."""
    if hasattr(request, "param"):
        library = None if request.param == "python" else request.getfixturevalue("compiled")
        request.getfixturevalue("sandbox").call(use_library, library)
