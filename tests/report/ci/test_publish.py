from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from results import result_with

from lab.errors import UsageError
from lab.report.ci.publish import UNFINISHED, publish
from lab.results import Result

NOBODY = 65534


@pytest.fixture(autouse=True)
def without_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def told(document: bytes) -> tuple[int, list[str]]:
    """The number of suites of claims, and the errors."""
    root = ElementTree.fromstring(document)
    suites = [suite for suite in root if suite.get("name") != "wirelab"]
    return len(suites), [error.get("message", "") for error in root.iter("error")]


def test_the_file_is_right_at_every_moment(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text("of an earlier command")
    seen = []

    def runs() -> Iterator[Result]:
        for _ in range(2):
            seen.append(told(file.read_bytes()))
            yield result_with({})
        seen.append(told(file.read_bytes()))

    publish(runs(), str(file))
    assert seen == [(0, [UNFINISHED]), (1, [UNFINISHED]), (2, [UNFINISHED])]
    assert told(file.read_bytes()) == (2, [])


def test_a_crash_is_an_error(tmp_path: Path) -> None:
    def runs() -> Iterator[Result]:
        yield result_with({})
        raise KeyError("x")

    file = tmp_path / "junit.xml"
    with pytest.raises(KeyError):
        publish(runs(), str(file))
    assert told(file.read_bytes()) == (1, ["KeyError('x')"])


def test_a_pipe_is_given_one_document() -> None:
    readable, writable = os.pipe()
    publish([result_with({}), result_with({})], f"/dev/fd/{writable}")
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        assert told(pipe.read()) == (2, [])


def test_a_file_that_cannot_be_written_is_reported_before_anything_is_run(tmp_path: Path) -> None:
    ran = []

    def runs() -> Iterator[Result]:
        ran.append(1)
        yield result_with({})

    dangling = tmp_path / "dangling"
    dangling.symlink_to("absent")
    for path in (tmp_path, tmp_path / "absent" / "junit.xml", dangling):
        with pytest.raises(UsageError, match=r"^cannot write "):
            publish(runs(), str(path))
    assert ran == []


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: gives files to another user")
def test_under_sudo_a_new_file_is_the_callers_and_an_old_one_stays_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    monkeypatch.setenv("SUDO_GID", str(NOBODY))
    tmp_path.chmod(0o1777)  # as /tmp is, where many kernels refuse root the files of others
    old, new = tmp_path / "old.xml", tmp_path / "new.xml"
    old.touch()
    for path in (old, new, new):
        publish([result_with({})], str(path))
        assert told(path.read_bytes()) == (1, [])
    assert (old.stat().st_uid, new.stat().st_uid) == (0, NOBODY)
