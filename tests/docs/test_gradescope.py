"""docs/gradescope.md: what its commands make grades where no namespace can be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from house import ROOT

from lab.kernel.cells.calls import cell_filter
from lab.kernel.system.capabilities import keep_only, last_capability
from lab.kernel.system.seccomp import give_up_privileges
from site_pages.blocks import blocks_of

pytestmark = pytest.mark.kernel

PAGE, TRIED = (
    block.commands for block in blocks_of((ROOT / "docs/gradescope.md").read_text("utf-8"))
)
TOOLS = {
    "pip": f'exec "{sys.executable}" -m pip "$@"',
    "python3": f'exec "{sys.executable}" "$@"',
    "apt-get": 'echo "$@" >> "$ASKED"',
}
"""What the scripts call: packages are noted and not installed, the rest is this interpreter's."""


def typed(command: str, cwd: Path, *, confined: bool = False) -> subprocess.CompletedProcess[str]:
    """A command of the page or of a script, in a shell; without the network."""
    tools = next(each / "tools" for each in cwd.parents if (each / "tools").is_dir())
    env = os.environ | {
        "PATH": f"{tools}:/usr/bin:/bin",
        "ASKED": f"{tools}/asked",
        "PYTHONPATH": sysconfig.get_path("purelib"),  # what wirelab depends on
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's word for: not isolated
        "COLUMNS": "80",
    }
    return subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env=env,
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=_refuse_namespaces if confined else None,
    )


def _refuse_namespaces() -> None:
    """No capability, and no call that makes or enters a namespace: the filter of a cell."""
    held = cell_filter()
    give_up_privileges()
    if os.geteuid() == 0:
        keep_only((), last_capability())
    held.install()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the page's commands were typed."""
    folder = tmp_path_factory.mktemp("gradescope")
    tools, clone = folder / "tools", folder / "clone"
    tools.mkdir()
    for name, text in TOOLS.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    for name in ("lab", "scenarios", "sheets", "docs/gradescope"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, clone / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    (clone / ".venv").symlink_to(sys.prefix)
    shutil.copy(ROOT / "tests/recordings/half-close4/recording.pcapng", clone / "capture.pcapng")
    for command in (*PAGE, *TRIED[:-1]):
        done = typed(command, clone)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "no-reset (1 point)" in done.stdout, "setup.sh, which ends by showing the sheet"
    return clone


def graded(clone: Path, *, status: int = 0) -> dict[str, Any] | None:
    """What Gradescope is given of what is in the folder `submission`; None where there is none."""
    results = clone / "try/results/results.json"
    results.unlink(missing_ok=True)
    done = typed(TRIED[-1], clone, confined=True)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(results.read_text("utf-8")) if results.exists() else None


@pytest.fixture
def submission(clone: Path) -> Path:
    """The folder of what is uploaded, empty."""
    folder = clone / "try/submission"
    shutil.rmtree(folder)
    folder.mkdir()
    return folder


def test_what_it_needs_is_installed_from_packages_and_the_wheel(clone: Path) -> None:
    asked = (clone.parent / "tools/asked").read_text().splitlines()
    assert asked[0] == "update" and asked[1].endswith("python3 python3-venv")
    (site,) = clone.glob("try/wirelab/lib/python*/site-packages")
    assert (site / "lab/cli/main.py").is_file()


def test_there_no_namespace_can_be_had(clone: Path) -> None:
    unshare = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x{:x}) != 0)"
    for kind in (0x10000000, 0x40000000):  # CLONE_NEWUSER, CLONE_NEWNET
        command = f"python3 -c '{unshare.format(kind)}'"
        assert typed(command, clone, confined=True).returncode == 1
    done = typed("wirelab/bin/wirelab run tcp", clone / "try", confined=True)
    assert done.returncode == 3 and "namespace" in done.stderr, done.stderr


def test_an_uploaded_capture_is_graded(clone: Path, submission: Path) -> None:
    shutil.copy(clone / "capture.pcapng", submission / "mine.pcapng")
    (submission / ".DS_Store").write_bytes(b"\0")
    found = graded(clone)
    assert found is not None
    assert (found["score"], found["stdout_visibility"]) == (4, "hidden")
    assert [each["score"] for each in found["tests"]] == [2, 2, 0, 0]
    assert "Hint: Close both ends" in found["tests"][2]["output"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "there is no file in it; hand in one capture"),
        (("a.pcap", "b.pcap"), "it has several files, a.pcap, b.pcap among them"),
        (("essay.txt",), "cannot read essay.txt: not a pcap or pcapng capture"),
    ],
)
def test_what_is_no_capture_scores_nothing_and_is_told_why(
    clone: Path, submission: Path, files: tuple[str, ...], said: str
) -> None:
    for name in files:
        (submission / name).write_text("hello\n")
    found = graded(clone)
    assert found is not None
    assert found["score"] == 0 and said in found["output"]


def test_where_the_sheet_fails_no_result_is_held_against_anybody(
    clone: Path, submission: Path
) -> None:
    shutil.copy(clone / "capture.pcapng", submission)
    sheet = clone / "try/source/sheet.py"
    right = sheet.read_text("utf-8")
    try:
        sheet.write_text(right.replace("    capture.tcp()", "    capture.tpc()"), "utf-8")
        assert sheet.read_text("utf-8") != right
        assert graded(clone, status=2) is None
    finally:
        sheet.write_text(right, "utf-8")
