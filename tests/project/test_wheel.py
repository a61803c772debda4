"""The wheel, installed away from the repository: one package, which nothing beside it hides."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from outside import REPOSITORY, environment

# What is asked is which files are in the wheel.
pytestmark = [pytest.mark.kernel, pytest.mark.once]

PIPX = shutil.which("pipx")


def ran(
    words: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """What a command printed; it must have succeeded."""
    done = subprocess.run(
        [*map(str, words)],
        cwd=cwd or "/",
        env={**environment(), "PYTHONPATH": "", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: hatchling is there already, and the repository stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, source)
    for name in ("lab", "scenarios", "sheets"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, source / name, ignore=ignored)
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--quiet")
    ran([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, source])
    (built,) = folder.glob("*.whl")
    return built


def with_pip(wheel: Path, folder: Path) -> None:
    """What pipx does: an environment of its own, and a link to the command. Without the network.

    What the lab depends on it finds where this interpreter has it. A folder that a .pth file
    names has no .pth files read: the repository stays out.
    """
    venv = folder / "venv"
    ran([sys.executable, "-m", "venv", "--without-pip", venv])
    options = ["--no-deps", "--no-index", "--quiet"]
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", venv / "bin" / "python"]
    ran([*pip, "install", *options, wheel])
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "bin").mkdir()
    (folder / "bin" / "wirelab").symlink_to(venv / "bin" / "wirelab")


def with_pipx(wheel: Path, folder: Path) -> None:
    """The same by pipx itself, with all that the lab depends on, from the network."""
    assert PIPX is not None
    places = {"PIPX_HOME": "home", "PIPX_BIN_DIR": "bin", "PIPX_MAN_DIR": "man"}
    env = {name: str(folder / place) for name, place in places.items()}
    ran([PIPX, "install", "--python", sys.executable, wheel], env=env)


INSTALLERS = [
    with_pip,
    pytest.param(with_pipx, marks=pytest.mark.skipif(PIPX is None, reason="there is no pipx")),
]


def test_the_wheel_has_one_top_level_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lab"}
    assert {
        "lab/py.typed",
        "lab/report/document/report-2.schema.json",
        "lab/scenarios/tcp.py",
        "lab/scenarios/demos/inet_stream_server.py",
        "lab/sheets/tcp_conversation.py",
    } <= {*names}


def test_the_wheel_has_every_sheet_and_no_solution(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    there = {name for name in names if name.startswith("lab/sheets/")}
    assert there == {f"lab/sheets/{path.name}" for path in (REPOSITORY / "sheets").glob("*.py")}
    assert (REPOSITORY / "sheets/solutions/tcp_echo/right.py").is_file()


@pytest.mark.parametrize("install", INSTALLERS)
def test_the_installed_command_runs_from_a_folder_full_of_namesakes(
    wheel: Path, install: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    install(wheel, tmp_path)
    here = tmp_path / "here"
    for name in ("lab", "scenarios", "demos", "model"):
        (here / name).mkdir(parents=True)
        (here / name / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    (here / "lab.py").write_text("raise SystemExit('the wrong one')\n")
    (here / "scenarios" / "tcp.py").write_text("raise SystemExit('the wrong one')\n")

    command = tmp_path / "bin" / "wirelab"
    told = ran([command, "run", "tcp"], here)
    assert "14 claims: 14 HOLDS\n" in told
    folder = here / "runs" / "tcp" / "latest"
    assert "14 claims: 14 HOLDS\n" in ran([command, "replay", folder], here)
    assert str(REPOSITORY) not in (folder / "recording.jsonl").read_text()
    assert "opens (2 points)" in ran([command, "grade", "tcp-conversation", "--explain"], here)
