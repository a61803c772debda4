"""What can be asked."""

from __future__ import annotations

from lab.cli.words.course import ABOUT
from lab.study.exercise import Topic


def test_the_command_line_offers_every_kind() -> None:
    assert tuple(kind.value for kind in Topic) == ABOUT
