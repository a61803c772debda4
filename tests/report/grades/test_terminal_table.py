from __future__ import annotations

from dataclasses import replace

from graded import NOW, SHEET, graded, hostile_grade, refused
from tried import SHEET as TRIED
from tried import tried

from lab.report.grades.terminal_table import draw_checks, draw_grades
from lab.report.grades.wording import LEGEND
from lab.report.terminal.drawing.style import Style

STYLE = Style(80, False)


def test_a_line_for_each_student_and_what_is_to_be_said() -> None:
    grades = [graded("tcp4"), graded("half-close4"), graded("udp4"), refused()]
    lines = [line.plain.split() for line in draw_grades(SHEET, grades, STYLE)]
    assert lines[1] == ["student", "opens", "ends", "clean", "quick", "score"]
    assert lines[2] == ["tcp4", "2", "1.5", "0.5", "1", "5/5"]
    assert lines[3] == ["half-close4", "2", "-", "-", "1", "3/5"]
    assert lines[4] == ["udp4", "?", "?", "?", "?", "0/5"]
    assert lines[6] == LEGEND.split()
    assert lines[7][:4] == ["udp4:", "undecided:", "opens,", "ends,"]
    assert lines[-1] == ["nobody:", "it", "is", "no", "capture"]


def test_where_all_is_well_nothing_is_explained() -> None:
    assert len(list(draw_grades(SHEET, [graded("tcp4")], STYLE))) == 3


def test_checks_that_do_not_fit_have_numbers() -> None:
    checks = tuple(replace(SHEET.checks[0], name=f"a-long-name-{number}") for number in range(9))
    grade = graded("tcp4")
    many = replace(grade, marks=tuple(replace(grade.marks[0], check=check) for check in checks))
    lines = [line.plain for line in draw_grades(replace(SHEET, checks=checks), [many], STYLE)]
    assert lines[1].split() == ["student", *"123456789", "score"]
    assert " ".join(lines[3:]).split()[:4] == ["1", "a-long-name-0,", "2", "a-long-name-1,"]


def test_a_terminal_obeys_no_name() -> None:
    for ascii_only in (False, True):
        for line in draw_grades(SHEET, [hostile_grade()], Style(60, ascii_only)):
            assert line.plain.isprintable()
            assert line.cell_len <= 60


def test_checks_are_explained_with_what_students_do_not_see() -> None:
    text = "\n".join(line.plain for line in draw_checks(SHEET, SHEET.checks, NOW, STYLE))
    assert "opens (2 points)\n  Each TCP connection opens with SYN, SYN-ACK and ACK.\n" in text
    assert "  Source: RFC 9293, 3.5\n" in text
    assert "  Where it does not pass: begin to capture before you connect" in text
    assert "quick (1 point)\n  Not shown now: students see it once the deadline is over." in text
    assert "A capture of one of yours.\nTo be handed in by 2026-12-24 12:00 +0000." in text


def test_what_shows_in_programs_is_named_and_how_they_are_tried() -> None:
    grades = [tried("ann", "refused"), tried("bob", b"hello")]
    lines = [line.plain for line in draw_grades(TRIED, grades, STYLE)]
    assert lines[-1] == "ann: binds-loopback"
    text = "\n".join(line.plain for line in draw_checks(TRIED, TRIED.checks, NOW, STYLE))
    assert "  What is sent comes back.\n  Tried: One client says something.\n" in text
