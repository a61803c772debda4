"""Commands of a page, typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import LabError
from site_pages.typed import as_recorded, filled, make_folder, typed, typed_by_page

pytestmark = pytest.mark.programs

PAGE = """\
<!-- with its output -->

```console
$ ./wirelab --version
```

<!-- picture left.svg: What is left -->

```console
$ ./wirelab --help
```
"""
LEAVES = "printf '<svg/>' > left.svg"


def test_a_command_is_typed_where_wirelab_is(tmp_path: Path) -> None:
    make_folder(tmp_path)
    for command in ("./wirelab --version", "wirelab --version"):
        done = typed(command, tmp_path)
        assert done.status == 0 and done.text.startswith("wirelab ")
    assert typed("echo bad >&2; exit 3", tmp_path).text == "bad\n"
    assert typed("exit 3", tmp_path).status == 3


def test_what_it_prints_says_nothing_of_the_folder_that_it_was_typed_in(tmp_path: Path) -> None:
    assert typed("echo in $PWD/runs", tmp_path).text == "in ~/wirelab/runs\n"
    begin, end = str(tmp_path)[:9], str(tmp_path)[9:]
    assert typed(f"echo in {begin}; echo '    {end}.'", tmp_path).text == "in ~/wirelab.\n"


def test_what_it_prints_is_shown_below_it_and_pictures_where_they_are_asked_for(
    tmp_path: Path,
) -> None:
    page = PAGE.replace("--version", f"--version && {LEAVES}")
    done = typed_by_page("docs/x.md", page, tmp_path, is_recorded=False)
    assert done.pictures == {"left.svg": b"<svg/>"}
    shown = filled(page, done)
    (version,) = done.printed.values()
    assert f"left.svg\n{version}```" in shown
    assert "![What is left](pictures/x-1.svg)" in shown
    assert "$ ./wirelab --help\n```" in shown


def test_a_command_that_fails_fails_the_build(tmp_path: Path) -> None:
    page = PAGE.replace("--version", "run nothing-of-that-name")
    with pytest.raises(LabError, match=r"docs/x.md: \./wirelab run nothing.* ended with 2"):
        typed_by_page("docs/x.md", page, tmp_path, is_recorded=False)


def test_a_picture_that_no_command_left_fails_the_build(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"no command has left left\.svg"):
        typed_by_page("docs/x.md", PAGE, tmp_path, is_recorded=False)


def test_without_runs_a_recorded_one_is_shown_and_others_are_said_not_to_be(tmp_path: Path) -> None:
    make_folder(tmp_path)
    done = typed(as_recorded("./wirelab run tcp", tmp_path), tmp_path)
    assert "HOLDS" in done.text and done.status == 0
    assert (tmp_path / "runs/tcp/latest/ladder.svg").is_file()
    done = typed(
        as_recorded("./wirelab run tcp --wire 'client>server drop SYN'", tmp_path), tmp_path
    )
    assert "not typed" in done.text
    assert as_recorded("./wirelab replay runs/tcp/latest", tmp_path).endswith("runs/tcp/latest")
