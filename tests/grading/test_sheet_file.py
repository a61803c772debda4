from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.grading.sheet_file import builtin_sheets, find_sheet, load_sheet, sheet_digest


def sheet_of(folder: Path, text: str) -> str:
    path = folder / "sheet.py"
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no SHEET in it"),
        ("SHEET = 3", "SHEET is no Sheet"),
        ("SHEET = (", "line 1"),
        ("from lab.api import Check\nCheck('a', 1,\n'no-rest')", "did you mean 'no-reset'"),
        (
            "from lab.api import Sheet\n\nSHEET = Sheet('t', 'h', ())",
            "line 3: the sheet 't' has no",
        ),
        ("import nothing_of_that_name", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_wrong_sheet_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_sheet(sheet_of(tmp_path, text))
    assert said in str(refused.value)


def test_a_sheet_is_found_by_path_or_by_name(tmp_path: Path) -> None:
    assert "tcp_conversation" in builtin_sheets()
    assert find_sheet("tcp-conversation") == find_sheet("tcp_conversation")
    assert load_sheet("tcp_conversation").title == "A TCP conversation of your own"
    with pytest.raises(UsageError, match="there is no lab sheet"):
        find_sheet(str(tmp_path / "none.py"))
    with pytest.raises(UsageError, match="did you mean 'tcp_conversation'"):
        find_sheet("tcp_conversations")


def test_a_sheet_may_import_what_lies_beside_it_which_changes_its_digest(tmp_path: Path) -> None:
    beside = tmp_path / "beside_the_sheet.py"
    beside.write_text("TITLE = 'one'\n")
    text = """
from beside_the_sheet import TITLE
from lab.api import Check, Sheet

SHEET = Sheet(TITLE, "h", (Check("opens", 1, "handshake"),))
"""
    path = Path(sheet_of(tmp_path, text))
    sheet = load_sheet(str(path))
    assert sheet.title == "one"
    first = sheet_digest(path, sheet)
    assert sheet_digest(path, sheet) == first
    beside.write_text("TITLE = 'two'\n")
    second = sheet_digest(path, sheet)
    path.write_text(text + "\n")
    assert len({first, second, sheet_digest(path, sheet)}) == 3


def test_what_a_sheet_gives_changes_its_digest_wherever_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    given = tmp_path / "data/file.bin"
    text = f"""
from pathlib import Path
from lab.api import Check, Sheet, Submission, trial

@trial
def one(bench):
    "It is started."

SHEET = Sheet(
    "t",
    "h",
    (Check("opens", 1, "handshake", of=one),),
    submission=Submission("echo", given={{"file.bin": Path({str(given)!r}).read_bytes()}}),
)
"""
    path = Path(sheet_of(tmp_path, text))
    digests = []
    for data in (b"1", b"1", b"2"):
        given.write_bytes(data)
        digests.append(sheet_digest(path, load_sheet(str(path))))
    assert digests[0] == digests[1] != digests[2]
