"""./wirelab, as README's lines are typed: from anywhere, under sudo, before the first make."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from house import ROOT

SAYS = '#!/bin/sh\necho "$0" "$@" "bytecode=${PYTHONDONTWRITEBYTECODE-written}"\n'
SAYS_AS = '#!/bin/sh\necho "$WIRELAB_CALLED_AS"\n'
"""A `wirelab` that says how it was called."""


def environment(**changes: str) -> dict[str, str]:
    names = ("SUDO_UID", "PYTHONDONTWRITEBYTECODE")
    return {key: value for key, value in os.environ.items() if key not in names} | changes


def install(venv: Path, script: str = SAYS) -> None:
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "wirelab").write_text(script)
    (venv / "bin" / "wirelab").chmod(0o755)
    (venv / ".ready").touch()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a space in its name that has the script."""
    folder = tmp_path / "the project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    shutil.copy(ROOT / "wirelab", folder)
    return folder


def said(*words: str | Path, cwd: Path, **changes: str) -> str:
    done = subprocess.run(
        [*map(str, words)], cwd=cwd, env=environment(**changes), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.programs
def test_it_runs_from_anywhere_by_any_name(project: Path, tmp_path: Path) -> None:
    install(project / ".venv")
    (tmp_path / "link").symlink_to(project / "wirelab")
    expected = f"{project}/.venv/bin/wirelab run tcp bytecode=written\n"
    assert said("./wirelab", "run", "tcp", cwd=project) == expected
    assert said("./the project/wirelab", "run", "tcp", cwd=tmp_path) == expected
    assert said(tmp_path / "link", "run", "tcp", cwd=Path("/")) == expected


@pytest.mark.programs
def test_the_command_learns_how_it_was_typed(project: Path, tmp_path: Path) -> None:
    install(project / ".venv", SAYS_AS)
    assert said("./wirelab", cwd=project) == "./wirelab\n"
    assert said("./the project/wirelab", cwd=tmp_path) == "./the project/wirelab\n"


@pytest.mark.programs
def test_words_reach_the_command_as_they_are(project: Path) -> None:
    install(project / ".venv")
    assert "--server nc -l {port} bytecode" in said(
        "./wirelab", "run", "--server", "nc -l {port}", cwd=project
    )


@pytest.mark.programs
def test_under_sudo_no_bytecode_is_written(project: Path) -> None:
    install(project / ".venv")
    assert "bytecode=1\n" in said("./wirelab", cwd=project, SUDO_UID="1000")


@pytest.mark.programs
def test_what_is_not_set_up_is_set_up_once(project: Path) -> None:
    """And what making it prints is not among what the command prints."""
    install(project / "made")
    (project / "Makefile").write_text("setup:\n\t@echo setting up\n\t@mv made .venv\n")
    done = subprocess.run(
        ["./wirelab", "list"], cwd=project, env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "setting up\n")
    assert done.stdout == f"{project}/.venv/bin/wirelab list bytecode=written\n"
    assert said("./wirelab", "list", cwd=project) == done.stdout


@pytest.mark.programs
def test_it_is_set_up_again_for_another_pyproject(project: Path) -> None:
    install(project / ".venv")
    (project / "Makefile").write_text("setup:\n\t@echo again; touch .venv/.ready\n")
    os.utime(project / ".venv" / ".ready", (0, 0))
    done = subprocess.run(["./wirelab"], cwd=project, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "again\n")


@pytest.mark.programs
@pytest.mark.parametrize("are_there", [True, False])
def test_set_up_again_it_has_the_development_tools_that_it_had(
    project: Path, are_there: bool
) -> None:
    install(project / ".venv")
    if are_there:
        (project / ".venv" / ".ready-dev").touch()
    for stamp in (project / ".venv").glob(".ready*"):
        os.utime(stamp, (0, 0))
    shutil.copy(ROOT / "Makefile", project)
    recipes = said("make", "--dry-run", "setup", cwd=project)
    assert "install --editable .;" in recipes
    assert ("install --editable '.[dev]'" in recipes) == are_there


@pytest.mark.programs
def test_it_ends_where_setting_up_fails(project: Path) -> None:
    (project / "Makefile").write_text("setup:\n\t@echo no python >&2; false\n")
    done = subprocess.run(["./wirelab"], cwd=project, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "no python" in done.stderr


@pytest.mark.programs
def test_without_make_it_says_what_installs_it(project: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "readlink", "sed"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        ["./wirelab"], cwd=project, env={"PATH": f"{tmp_path}/bin"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "sudo apt-get install make" in done.stderr


@pytest.mark.kernel
def test_a_venv_is_where_the_machine_says(project: Path, tmp_path: Path) -> None:
    """As in vagrant/provision.sh; in a mount namespace, whose /etc holds nothing else."""
    venv, etc = tmp_path / "elsewhere", tmp_path / "etc"
    install(venv)
    etc.mkdir()
    (etc / "wirelab.mk").write_text(f"VENV := {venv}\n")
    private = 'mount --bind "$1" /etc && exec ./wirelab list'
    assert said(
        *("unshare", "--map-root-user", "--mount", "sh", "-c", private, "sh", etc), cwd=project
    ).startswith(f"{venv}/bin/wirelab list")


def test_the_provisioning_writes_what_the_script_reads() -> None:
    assert '"VENV := $state/venv" >/etc/wirelab.mk' in (ROOT / "vagrant/provision.sh").read_text()
