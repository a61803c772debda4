"""What opens in front of the panes, typed at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from keyed import Typist, typed_at
from textual.app import App
from textual.screen import ModalScreen

from lab.screen.forms import Ask, Choose, EditForm, TextPage

FIELDS = (("seq", "5"), ("window", "64240"), ("eth.src", "02:00:00:00:01:01"))
NOTHING_YET = "nothing yet"


def answer(form: ModalScreen[Any], keys: Sequence[str]) -> object:
    """What the form answers to these keys."""
    found: list[object] = []

    app: App[None] = App()

    async def type_at(typist: Typist) -> None:
        app.push_screen(form, found.append)
        await typist.settled()
        await typist.press(*keys)

    typed_at(app, type_at)
    return found[0] if found else NOTHING_YET


def test_a_page_is_left_by_a_key_that_does_not_scroll() -> None:
    long = "\n".join(map(str, range(90)))
    assert answer(TextPage("title", long), ["down", "pagedown", "end"]) == NOTHING_YET
    assert answer(TextPage("title", long), ["down", "x"]) is None


@pytest.mark.parametrize(
    ("keys", "said"), [(["5", "0", "enter"], "50"), (["enter"], "20"), (["escape"], None)]
)
def test_a_line_answers_a_question(keys: list[str], said: str | None) -> None:
    assert answer(Ask("how long?", "20"), keys) == said


def test_a_key_answers_a_question() -> None:
    assert answer(Choose("which?", "dx"), ["q", "x"]) == "x"
    assert answer(Choose("which?", "dx"), ["q"]) == NOTHING_YET
    assert answer(Choose("which?", "dx"), ["escape"]) is None


def test_a_field_that_was_changed_becomes_a_rewrite() -> None:
    assert answer(EditForm("frame 1", FIELDS), ["+", "9", "enter"]) == "rewrite seq=+9"


def test_several_fields_and_checksums_left_wrong() -> None:
    keys = ["7", "tab", "8", "tab", "tab", "space", "shift+tab", "enter"]
    assert answer(EditForm("frame 1", FIELDS), keys) == "rewrite seq=7 window=8 raw"


@pytest.mark.parametrize("keys", [["enter"], ["7", "escape"], ["backspace", "enter"]])
def test_nothing_changed_is_no_edit(keys: list[str]) -> None:
    assert answer(EditForm("frame 1", FIELDS), keys) is None
