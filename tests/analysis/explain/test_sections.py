from __future__ import annotations

import pytest
from scenes import recorded_result

from lab.analysis.explain.sections import section_of_call, section_of_frame
from lab.analysis.story import Phase


@pytest.mark.parametrize(
    ("name", "page"),
    [("recvfrom", "recv(2)"), ("accept4", "accept(2)"), ("connect", "connect(2)")],
)
def test_a_call_is_read_about_in_its_man_page(name: str, page: str) -> None:
    assert section_of_call(name) == page


def test_a_frame_is_read_about_by_what_it_is_for() -> None:
    four = recorded_result("tcp4").timelines[0].crossings[0].packet
    six = recorded_result("tcp6").timelines[0].crossings[0].packet
    assert section_of_frame(four, Phase.NEIGHBOUR) == "RFC 826"
    assert section_of_frame(six, Phase.NEIGHBOUR) == "RFC 4861, 7.2"
    assert section_of_frame(four, Phase.OPENING) == "RFC 9293, 3.5"
    assert section_of_frame(four, Phase.OTHER) == ""
