from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.grade.naming import folder_names, student_names


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["up/alice.pcap", "up/bob.pcapng", "c.PCAP.gz"], ["alice", "bob", "c"]),
        (["alice/talk.pcap", "bob/talk.pcap"], ["alice/talk", "bob/talk"]),
        (["alice/talk.pcap", "bob/talk.pcap", "c.cap"], ["alice/talk", "bob/talk", "c"]),
        (["/up/x/ann/t.pcap", "/up/x/bob/t.pcap"], ["ann/t", "bob/t"]),
        (["a/x/t.pcap", "b/x/t.pcap", "x/t.cap"], ["a/x/t", "b/x/t", "x/t"]),
        (["ann.pcap", "ann.pcap"], ["ann.pcap", "ann.pcap"]),
        (["up/ann.pcap", "up/ann.pcapng", "bob.cap"], ["ann.pcap", "ann.pcapng", "bob"]),
        (["a/x.c", "a/x.py", "b/x.c"], ["a/x.c", "a/x.py", "b/x"]),
        (["up/x.c", "up/x.py", "up/x.c.py"], ["x.c", "x.py", "x.c.py"]),
        (["up/.pcap", ""], [".pcap", ""]),
        ([".pcap", "no-end"], [".pcap", "no-end"]),
        (["a.b.txt"], ["a.b.txt"]),
    ],
)
def test_students_are_named_by_their_files(files: list[str], names: list[str]) -> None:
    assert student_names(files) == names


@pytest.mark.parametrize(
    ("students", "folders"),
    [
        (["alice", "bob"], ["alice", "bob"]),
        (["alice", "Alice", "alice"], ["alice", "Alice-2", "alice-3"]),
        (["../../etc/passwd"], ["_.._etc_passwd"]),
        ([".hidden", "--out", "..", ""], ["hidden", "out", "_", "_-2"]),
        (["a\x1b[2Jb<script>"], ["a_2Jb_script_"]),
    ],
)
def test_folders_have_safe_names_of_their_own(students: list[str], folders: list[str]) -> None:
    assert folder_names(students) == folders


@examples(200)
@given(st.lists(st.text(), max_size=8))
def test_whatever_students_are_called_folders_are_distinct_and_stay_inside(
    names: list[str],
) -> None:
    folders = folder_names(names)
    assert len({each.lower() for each in folders}) == len(names)
    for each in folders:
        assert each and each.isascii() and each.isprintable()
        assert not set(each) & set("/\\:<>&'\" ")
        assert each[0] not in ".-"
        assert len(each) < 80


def test_the_ends_of_a_sheets_languages_are_no_part_of_a_name() -> None:
    assert student_names(["in/ann.rs", "in/bob.py"], [".rs"]) == ["ann", "bob"]
    assert student_names(["in/ann.rs"]) == ["ann.rs"]
