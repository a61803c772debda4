"""What each key decides."""

from __future__ import annotations

import pytest
from step_scenes import EMPTY, frame, scene

from lab.stepping.keys import Act, HandState, came, chosen, press
from lab.stepping.predict import PATIENCE_NS
from lab.wire.rule import Term

TWO = scene(frame(3), frame(4))
HAND = HandState()


def pressed(hand: HandState, key: str, last: int = 4) -> tuple[HandState, Act | None]:
    return press(hand, key, TWO, last, 0)


@pytest.mark.parametrize(
    ("key", "act"),
    [
        ("d", Act("deliver", 3)),
        ("enter", Act("deliver", 3)),
        ("x", Act("decide", 3, "drop")),
        ("c", Act("decide", 3, "duplicate")),
        ("s", Act("decide", 3, "swap")),
        ("y", Act("ask-delay", 3)),
        ("e", Act("edit", 3)),
        ("v", Act("hex", 3)),
        ("question_mark", Act("help")),
        ("q", Act("quit")),
        ("z", None),
    ],
)
def test_a_key_is_about_the_first_frame_that_waits(key: str, act: Act | None) -> None:
    assert pressed(HAND, key) == (HAND, act)


def test_the_arrows_choose_another_frame() -> None:
    down, nothing = pressed(HAND, "down")
    assert (down.selected, nothing) == (4, None)
    assert pressed(down, "x")[1] == Act("decide", 4, "drop")
    assert pressed(down, "x")[0].selected == 0
    assert pressed(pressed(down, "down")[0], "up")[0].selected == 3
    assert press(HAND, "down", EMPTY, 0, 0)[0].selected == 0


def test_without_a_frame_that_is_said() -> None:
    assert press(HAND, "d", EMPTY, 0, 0)[0].message == "no frame waits"
    passing = scene(is_passing=True)
    assert "g has them wait again" in press(HAND, "d", passing, 0, 0)[0].message


def test_what_was_decided_on_can_only_be_undone() -> None:
    one = scene(frame(3, "delayed"), frame(4), undoable=3)
    assert chosen(HAND, one) == one.frames[1]
    hand, act = press(HandState(selected=3), "d", one, 4, 0)
    assert act is None and hand.message == "it is delayed: u undoes that"
    assert press(HAND, "u", one, 4, 0)[1] == Act("undo", 3)
    assert pressed(HAND, "u")[0].message.startswith("nothing to undo")


@pytest.mark.parametrize(
    ("key", "terms"),
    [("s", (Term.SYN, Term.SYN_ACK)), ("f", (Term.FIN,)), ("d", (Term.DATA,)), ("e", ())],
)
def test_frames_pass_until_something(key: str, terms: tuple[Term, ...]) -> None:
    asked, nothing = pressed(HAND, "g")
    assert (asked.mode, nothing) == ("until", None)
    hand, act = pressed(asked, key)
    assert (hand.mode, act) == ("wire", Act("pass", terms=terms))
    assert press(hand, "g", scene(is_passing=True), 4, 0)[1] == Act("hold")


def test_frames_pass_until_a_call_of_a_host_or_not_at_all() -> None:
    asked, _ = pressed(HAND, "g")
    assert pressed(asked, "l")[1] == Act("pass-call", words="client")
    assert pressed(asked, "m")[1] == Act("pass-call", words="server")
    assert pressed(asked, "escape") == (HAND, None)


def test_a_prediction_is_asked_for_before_each_delivery_and_then_judged() -> None:
    hand, _ = pressed(HAND, "p")
    asked, act = pressed(hand, "d")
    assert (asked.mode, act) == ("predict", None)
    assert pressed(asked, "z") == (asked, None)
    assert pressed(asked, "escape") == (HandState(predicts=True, selected=3), None)
    predicted, act = pressed(asked, "8")
    assert act == Act("deliver", 3)
    assert predicted.predictions.pending == "server data"
    assert came(predicted, ((3, "client data"), (4, "client data")), 1) == predicted
    right = came(predicted, ((4, "client data"), (5, "server data"), (6, "client FIN")), 1)
    assert (right.predictions.score, right.message) == ("1 of 1 right", "right: server data")
    wrong = came(predicted, (), PATIENCE_NS + 1)
    assert wrong.message == "wrong: nothing came, not server data"


def test_no_prediction_is_asked_for_once_that_was_ended() -> None:
    hand, _ = pressed(pressed(HAND, "p")[0], "p")
    assert pressed(hand, "d")[1] == Act("deliver", 3)
