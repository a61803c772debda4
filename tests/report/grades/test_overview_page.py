from __future__ import annotations

from graded import SHEET, graded, hostile_grade, refused
from scenes import Parsed
from tried import SHEET as TRIED
from tried import tried

from lab.report.grades.overview_page import overview_page


def test_it_has_every_student_and_how_many_passed_each_check() -> None:
    grades = [graded("tcp4"), graded("half-close4"), graded("udp4"), refused()]
    words = " ".join(" ".join(Parsed(overview_page(SHEET, grades)).text).split())
    assert "A conversation over TCP: 4 files" in words
    for grade in grades:
        assert f"{grade.student} {grade.file} " in words
    assert "SYN-ACK and ACK. 2 2 0 2 at once" in words
    assert "students never see it" in words
    assert "it is no capture" in words


def test_hostile_texts_stay_texts() -> None:
    parsed = Parsed(overview_page(SHEET, [hostile_grade()]))
    assert not {tag for tag, _ in parsed.elements} & {"script", "img"}
    assert all(c.isprintable() or c == "\n" for text in parsed.text for c in text)


def test_misconceptions_are_counted() -> None:
    grades = [tried("ann", "refused"), tried("bob", "refused"), tried("cem", b"hello")]
    words = " ".join(" ".join(Parsed(overview_page(TRIED, grades)).text).split())
    assert "binds-loopback 2 echo Bind to all addresses. ip(7) one-recv 0 echo" in words
