from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graded import NOW, RECORDINGS, SHEET, graded, hostile_grade, refused
from hostile import HOSTILE
from scenes import Parsed

from lab.capture_files import load_capture
from lab.grade.mark import Grade
from lab.ladder.model import Ladder
from lab.report.grades.pictures import MOST_FRAMES_DRAWN, MOST_LADDERS, pictures_of_capture
from lab.report.grades.student_page import student_page


def ladders(name: str) -> Sequence[Ladder]:
    return load_capture(str(RECORDINGS / name / "recording.pcapng")).drawn()[0]


def page(grade: Grade, drawn: Sequence[Ladder] = ()) -> str:
    return student_page(SHEET, replace(grade, pictures=tuple(pictures_of_capture(drawn))), NOW)


def said(text: str) -> str:
    return " ".join(Parsed(text).text)


def test_it_has_the_score_the_hint_and_the_ladder() -> None:
    text = page(graded("half-close4"), ladders("half-close4"))
    words = said(text)
    assert "half-close4: 2 of 3.5" in words
    assert "Hint: close both sides" in words
    assert "BROKEN: " in words
    assert "begin to capture before" not in words
    assert "<svg" in text
    assert text.count("<style>") == 1


def test_what_students_may_not_see_is_not_in_it() -> None:
    text = page(graded("reset4"), ladders("reset4"))
    assert "HIDDEN-HINT" not in text and "clean" not in said(text).split()
    assert "There are more checks than are shown here" in text
    later = student_page(SHEET, graded("tcp4"), NOW.replace(year=2027))
    assert "tcp4: 4.5 of 4.5" in said(later)


def test_a_refused_file_says_why() -> None:
    words = said(page(refused()))
    assert "nobody: 0 of 3.5" in words
    assert "Nothing of it could be judged: it is no capture" in words


def test_hostile_texts_stay_texts() -> None:
    (first, *_) = ladders("reset4")
    lanes = tuple(replace(lane, name=HOSTILE) for lane in first.lanes)
    parsed = Parsed(page(hostile_grade(), [replace(first, lanes=lanes)]))
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "img", "link", "iframe"}
    assert not any(name.startswith("on") for _, names in parsed.elements for name in names)
    assert "script-src" not in parsed.policy()


def test_what_is_too_much_to_draw_is_said() -> None:
    (first, *_) = ladders("tcp4")
    long = replace(first, rows=first.rows * (MOST_FRAMES_DRAWN // len(first.rows) + 1))
    text = page(graded("tcp4"), [long])
    assert "<svg" not in text and "too many to be drawn" in text
    text = page(graded("tcp4"), [first] * (MOST_LADDERS + 2))
    assert text.count("<svg") == MOST_LADDERS and "The file has 2 more" in text
