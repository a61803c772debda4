"""MemberNames of what is handed in: taken, ignored or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.grading.member_name import (
    IGNORED_FOLDERS,
    ArchiveRefused,
    MemberNames,
    Sizes,
    is_ignored,
    shown,
)


def taken(*names: str, most: Sizes | None = None) -> list[str | None]:
    every = MemberNames(most or Sizes())
    return [every.take(name.rstrip("/"), is_folder=name.endswith("/")) for name in names]


def refusal(*names: str, most: Sizes | None = None) -> str:
    with pytest.raises(ArchiveRefused) as refused:
        taken(*names, most=most)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("echo.c", "echo.c"),
        ("./echo.c", "echo.c"),
        ("a//b/./c", "a/b/c"),
        ("Übung 3/ähm.py", "Übung 3/ähm.py"),
        ("..a/b..", "..a/b.."),
        ("ab:c", "ab:c"),
        ("-rf", "-rf"),
        ("日本語.py", "日本語.py"),
    ],
)
def test_a_name_is_written_as_it_is(name: str, written: str) -> None:
    assert taken(name) == [written]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../x", "../x leads out of it"),
        ("a/../../x", "a/../../x leads out of it"),
        ("a/..", "a/.. leads out of it"),
        ("/etc/passwd", "/etc/passwd is an absolute path"),
        ("C:/x", "C:/x is an absolute path"),
        ("c:x", "c:x is an absolute path"),
        ("..\\x", r"..\x has a backslash in its name"),
        ("a\x1b[2Jb", r"a\x1b[2Jb has characters in its name that cannot be printed"),
        ("a\nb", r"a\nb has characters in its name that cannot be printed"),
        ("a\0.py", r"a\x00.py has characters in its name that cannot be printed"),
        ("a\u202eyp.b", r"a\u202eyp.b has characters in its name that cannot be printed"),
        ("a\udcff", r"a\udcff has characters in its name that cannot be printed"),
        ("x" * 201, f"{'x' * 80}… is longer than 200 bytes"),
        ("ü" * 101, f"{'ü' * 80}… is longer than 200 bytes"),
        ("d/" * 16 + "f", f"{'d/' * 16}f is deeper than 16 folders"),
    ],
)
def test_a_name_is_refused_in_one_line(name: str, why: str) -> None:
    said = refusal(name)
    assert said == why
    assert said.isprintable()


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("a", "a"), "a is there twice"),
        (("a", "./a"), "a is there twice"),
        (("a.py", "A.PY"), "a.py and A.PY have the same name on some systems"),
        (("straße", "STRASSE"), "straße and STRASSE have the same name on some systems"),
        (("\u00e9", "e\u0301"), "\u00e9 and e\u0301 have the same name on some systems"),
        (("a", "a/b"), "a is there twice, as a file and as a folder"),
        (("a/b", "a"), "a is there twice, as a file and as a folder"),
        (("a/b", "A/c"), "a and A have the same name on some systems"),
        (("a/", "A"), "A is there twice, as a file and as a folder"),
    ],
)
def test_two_names_that_are_one_are_refused(names: tuple[str, ...], why: str) -> None:
    assert refusal(*names) == why


def test_a_folder_may_be_there_again() -> None:
    assert taken("a/", "a/", "a/b", "a/c") == ["a", "a", "a/b", "a/c"]


def test_what_systems_put_there_is_ignored() -> None:
    names = ("__MACOSX/._a", "a/.DS_Store", ".", "Thumbs.db", "__MACOSX/", "Thumbs.db/", "a/._b")
    assert taken(*names) == [None, None, None, None, None, "Thumbs.db", None]


@pytest.mark.parametrize("folder", sorted(IGNORED_FOLDERS))
def test_what_tools_put_there_is_ignored_whatever_it_is_called(folder: str) -> None:
    names = (
        f"{folder}/",
        f"a/{folder}/b/",
        f"{folder}/c\n",
        f"{folder}/{'d/' * 20}e",
        f"a/{folder}",
    )
    assert taken(*names) == [None, None, None, None, f"a/{folder}"]
    assert is_ignored(f"./{folder}", is_folder=True)


@pytest.mark.parametrize("name", [".git/../../x", "/.git/x", "a/../.venv/../../x"])
def test_what_leads_out_is_refused_there_too(name: str) -> None:
    assert not is_ignored(name, is_folder=False)
    assert "leads out" in refusal(name) or "absolute" in refusal(name)


def test_files_and_folders_are_counted() -> None:
    most = Sizes(files=3)
    assert taken("a", "b/c", most=most) == ["a", "b/c"]
    assert refusal("a", "b/c", "d", most=most) == "it has more than 3 files and folders"
    assert refusal("a/b/c/d", most=most) == "it has more than 3 files and folders"


@given(st.lists(st.text(st.sampled_from("a/.\\:A\0\n\u0301é ")), max_size=4))
def test_whatever_is_taken_stays_within(names: list[str]) -> None:
    every = MemberNames(Sizes())
    for name in names:
        try:
            path = every.take(name, is_folder=False)
        except ArchiveRefused as error:
            assert str(error).isprintable()
            return
        if path is not None:
            parts = path.split("/")
            assert path.isprintable() and ".." not in parts and "" not in parts and "." not in parts


def test_a_long_name_is_cut_in_messages() -> None:
    assert shown("a" * 1000) == "a" * 80 + "…"
    assert shown("\x1b") == r"\x1b"
