from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from lab.report.svg.marks import arrow, box, cross, line, spans_at, text_at, titled

HOSTILE = '<script>"onload=x" ]]> \u202e\0 & \''


@pytest.mark.parametrize(
    "mark",
    [
        text_at(1, 2, HOSTILE, "halo", "end"),
        spans_at(1, 2, [(HOSTILE, "a"), ("", "b")]),
        titled(HOSTILE, box(0, 0, 1, 1, "x", 2)),
        arrow(0, 0, 10, 5, "syn"),
        cross(1, 1, "rst"),
        line(0, 0, 1, 1, "rail"),
    ],
)
def test_a_mark_is_well_formed_whatever_it_says(mark: str) -> None:
    root = ET.fromstring(mark)
    texts = "".join(root.itertext())
    assert not texts or texts == '<script>"onload=x" ]]> \\u202e\\x00 & \''


def test_an_arrow_ends_with_its_head() -> None:
    assert "M10.0 5.0" in arrow(0, 0, 10, 5, "syn")
