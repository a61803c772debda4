from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.recording.artifacts import (
    check_links,
    check_writable,
    create_folder,
    finish_folder,
    give_to_invoker,
)

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(autouse=True)
def _not_under_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.delenv("SUDO_GID", raising=False)


def test_a_folder_is_named_after_the_scenario_and_the_time_in_utc(tmp_path: Path) -> None:
    folder = create_folder(tmp_path / "a" / "b", "tcp", START + 1_002_003_004)
    assert folder == tmp_path / "a/b/tcp/2023-11-14T22-13-21.002003Z"
    assert folder.is_dir()


def test_folders_sort_as_their_times_do(tmp_path: Path) -> None:
    times = [START, START + 999_999_999, START + SECOND, START + 86_400 * SECOND, START * 2]
    folders = [create_folder(tmp_path, "tcp", time) for time in times]
    assert sorted(folders) == folders


def test_runs_of_the_same_microsecond_have_folders_that_still_sort(tmp_path: Path) -> None:
    started_ns = START + 999_999_000
    folders = [create_folder(tmp_path, "tcp", started_ns) for _ in range(3)]
    assert [folder.name[17:] for folder in folders] == ["20.999999Z", "21.000000Z", "21.000001Z"]
    assert sorted(folders) == folders


def test_runs_at_the_same_time_never_share_a_folder(tmp_path: Path) -> None:
    def create(_: int) -> Path:
        folder = create_folder(tmp_path, "tcp", START)
        (folder / "report.json").touch(exist_ok=False)
        finish_folder(folder)
        return folder

    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(create, range(40)))
    assert len(set(folders)) == 40
    assert (tmp_path / "tcp" / "latest").resolve() in folders


def test_latest_moves_to_the_run_that_finished_last(tmp_path: Path) -> None:
    first, second = (create_folder(tmp_path, "tcp", START + n * SECOND) for n in (0, 1))
    latest = tmp_path / "tcp" / "latest"
    for folder in (first, second):
        finish_folder(folder)
        assert latest.is_symlink()
        assert latest.readlink() == Path(folder.name)
    assert latest.resolve() == second


def test_latest_that_is_a_real_folder_is_left_alone(tmp_path: Path) -> None:
    folder = create_folder(tmp_path, "tcp", START)
    kept = folder.parent / "latest" / "kept"
    kept.mkdir(parents=True)
    with pytest.raises(OSError, match="latest"):
        finish_folder(folder)
    assert kept.is_dir()


def test_a_folder_that_can_be_made_is_not_made_by_looking(tmp_path: Path) -> None:
    check_writable(tmp_path)
    check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder_for_artifacts(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for out in (file, file / "below"):
        with pytest.raises(UsageError) as error:
            check_writable(out)
        assert f"cannot write artifacts to {out}: {file} is not a folder" in str(error.value)


@pytest.mark.parametrize("out", ["/proc/wirelab", "/sys/wirelab"])
def test_a_place_nobody_can_write_to_is_refused(out: str) -> None:
    if os.access(Path(out).parent, os.W_OK):
        pytest.skip(f"{Path(out).parent} counts as writable for this user")
    with pytest.raises(UsageError, match="is not writable; use --out DIR"):
        check_writable(Path(out))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match=f"{tmp_path} is not writable; use --out DIR"):
        check_writable(tmp_path / "runs")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into any folder")
def test_a_folder_that_may_not_be_looked_into_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(UsageError, match="Permission denied; use --out DIR"):
        check_writable(closed / "runs" / "here")


def test_a_name_too_long_for_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="File name too long"):
        check_writable(tmp_path / ("x" * 300))


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)
    with pytest.raises(UsageError, match="Too many levels of symbolic links"):
        check_writable(link / "runs")


@needs_root
def test_all_that_a_run_under_sudo_leaves_belongs_to_who_called_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    monkeypatch.setenv("SUDO_GID", str(NOBODY))
    out = tmp_path / "runs" / "here"
    folder = create_folder(out, "tcp", START)
    (folder / "report.json").touch()
    finish_folder(folder)
    made = [out.parent, *out.parent.rglob("*")]
    assert {path.name for path in made} >= {"runs", "here", "tcp", "latest", "report.json"}
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in made} == {(NOBODY, NOBODY)}
    assert tmp_path.stat().st_uid == 0


@needs_root
@pytest.mark.parametrize("who", [{}, {"SUDO_UID": "1000"}])
def test_without_a_caller_of_sudo_files_stay_roots(
    who: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in who.items():
        monkeypatch.setenv(name, value)
    give_to_invoker(tmp_path)
    assert tmp_path.stat().st_uid == 0


@needs_root
@pytest.mark.parametrize("variable", ["SUDO_UID", "SUDO_GID"])
@pytest.mark.parametrize("value", ["x", "", "-1", "4294967295", "99999999999999999999"])
def test_a_caller_of_sudo_who_cannot_be_is_refused_before_anything_is_run(
    variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "1000")
    monkeypatch.setenv("SUDO_GID", "1000")
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=f"^{variable} is '{value}', which is no number from 0"):
        check_writable(tmp_path)


@needs_root
def test_a_link_is_given_away_and_not_what_it_points_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    monkeypatch.setenv("SUDO_GID", str(NOBODY))
    target, link = tmp_path / "target", tmp_path / "link"
    target.touch()
    link.symlink_to(target)
    give_to_invoker(link)
    assert stat.S_ISLNK(link.lstat().st_mode)
    assert (link.lstat().st_uid, target.stat().st_uid) == (NOBODY, 0)


def link_of(uid: int, path: Path, target: Path) -> Path:
    path.symlink_to(target)
    os.chown(path, uid, uid, follow_symlinks=False)
    return path


@needs_root
@pytest.mark.parametrize("make", [check_writable, lambda out: create_folder(out, "tcp", START)])
def test_a_link_of_another_users_leads_root_to_nothing_that_is_not_theirs(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    (tmp_path / "roots").mkdir()
    planted = link_of(NOBODY, tmp_path / "runs", tmp_path / "roots" / "not" / "there")
    with pytest.raises(UsageError, match="runs is a link of nobody's to what is not theirs"):
        make(planted / "beneath")
    assert list((tmp_path / "roots").iterdir()) == []


@needs_root
def test_links_of_roots_and_to_what_is_ones_own_are_followed(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    check_links(link_of(0, tmp_path / "of-root", Path("/etc")) / "x")
    os.chown(own, NOBODY, NOBODY)
    check_links(link_of(NOBODY, tmp_path / "of-theirs", own) / "x")
