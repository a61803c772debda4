"""Which key decides what: a state of the hand that steps, and a key, to what is to be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from lab.frozen import frozen
from lab.stepping.predict import Predictions, choices
from lab.stepping.scene import FrameShown, StepScene
from lab.wire.rule import Term

Mode = Literal["wire", "until", "predict"]

DELIVER, DROP, COPY, SWAP = "deliver", "drop", "duplicate", "swap"


@frozen
class Act:
    """Something that is to be done."""

    kind: Literal[
        "deliver", "decide", "undo", "pass", "pass-call", "hold",
        "ask-delay", "edit", "hex", "help", "quit",
    ]  # fmt: skip
    number: int = 0
    """The frame's, where it is about one."""
    words: str = ""
    """Of "decide": as in a rule. Of "pass-call": the host."""
    terms: tuple[Term, ...] = ()
    """Of "pass": until which."""


@frozen
class HandState:
    """Whoever steps: which frame is looked at, what a key means now, what was predicted."""

    selected: int = 0
    """The number of a frame; 0: the first that waits."""
    mode: Mode = "wire"
    predicts: bool = False
    """Whether each delivery asks for a prediction before it."""
    predictions: Predictions = Predictions()
    message: str = ""
    """What is to be said."""


UNTIL: tuple[tuple[str, str, tuple[Term, ...]], ...] = (
    ("s", "SYN", (Term.SYN, Term.SYN_ACK)),
    ("f", "FIN", (Term.FIN,)),
    ("r", "RST", (Term.RST,)),
    ("d", "data", (Term.DATA,)),
    ("e", "the step's end", ()),
)
"""Keys in mode "until": until what frames pass; besides `l` and `m`: a call of the left, the right
host."""


def chosen(hand: HandState, scene: StepScene) -> FrameShown | None:
    """The frame that a decision would be about: the selected one, else the first that waits."""
    for frame in scene.frames:
        if frame.number == hand.selected:
            return frame
    return next((frame for frame in scene.frames if frame.state == "waits"), None)


def press(
    hand: HandState, key: str, scene: StepScene, last: int, now_ns: int
) -> tuple[HandState, Act | None]:
    """What a key makes of the hand's state, and what is to be done.

    `last` is the number of the frame that came last.
    """
    hand = replace(hand, message="")
    match hand.mode:
        case "until":
            return _until(hand, key, scene)
        case "predict":
            return _predicted(hand, key, scene, last, now_ns)
    match key:
        case "up" | "down":
            return replace(hand, selected=_moved(hand, scene, 1 if key == "down" else -1)), None
        case "g":
            if scene.is_passing:
                return hand, Act("hold")
            return replace(hand, mode="until"), None
        case "p":
            said = "each delivery asks what comes next" if not hand.predicts else "asks no more"
            return replace(hand, predicts=not hand.predicts, message=f"prediction: {said}"), None
        case "u" if scene.undoable:
            return replace(hand, selected=scene.undoable), Act("undo", scene.undoable)
        case "u":
            return replace(hand, message="nothing to undo: what was sent is gone"), None
        case "question_mark" | "f1":
            return hand, Act("help")
        case "q":
            return hand, Act("quit")
    return _decided(hand, key, scene)


def _decided(hand: HandState, key: str, scene: StepScene) -> tuple[HandState, Act | None]:
    """A key that is about a frame."""
    if key not in _FRAME_KEYS:
        return hand, None
    frame = chosen(hand, scene)
    if frame is None:
        why = "frames pass; g has them wait again" if scene.is_passing else "no frame waits"
        return replace(hand, message=why), None
    number = frame.number
    if key == "v":
        return hand, Act("hex", number)
    if frame.state != "waits":
        return replace(hand, message=f"it is {frame.state}: u undoes that"), None
    match key:
        case "d" | "enter":
            if hand.predicts:
                return replace(hand, mode="predict", selected=number), None
            return _after(hand, number, Act("deliver", number))
        case "x":
            return _after(hand, number, Act("decide", number, DROP))
        case "c":
            return _after(hand, number, Act("decide", number, COPY))
        case "s":
            return _after(hand, number, Act("decide", number, SWAP))
        case "y":
            return hand, Act("ask-delay", number)
        case _:
            return hand, Act("edit", number)


_FRAME_KEYS = ("d", "enter", "x", "c", "s", "y", "e", "v")


def _after(hand: HandState, number: int, act: Act) -> tuple[HandState, Act]:
    """The frame is not looked at any more."""
    return replace(hand, selected=0 if hand.selected == number else hand.selected), act


def _until(hand: HandState, key: str, scene: StepScene) -> tuple[HandState, Act | None]:
    hand = replace(hand, mode="wire")
    for wanted, what, terms in UNTIL:
        if key == wanted:
            said = f"frames pass until {what}; g has them wait again"
            return replace(hand, message=said), Act("pass", terms=terms)
    for wanted, host in (("l", scene.left.host), ("m", scene.right.host)):
        if key == wanted:
            said = f"frames pass until the next call on {host}; g has them wait again"
            return replace(hand, message=said), Act("pass-call", words=host)
    return hand, None


def _predicted(
    hand: HandState, key: str, scene: StepScene, last: int, now_ns: int
) -> tuple[HandState, Act | None]:
    frame = chosen(hand, scene)
    hand = replace(hand, mode="wire")
    if key == "escape" or frame is None or frame.state != "waits":
        return hand, None
    for choice in choices(scene.left.host, scene.right.host):
        if choice.key == key:
            predictions = hand.predictions.predict(choice.what, last, now_ns)
            return _after(
                replace(hand, predictions=predictions), frame.number, Act("deliver", frame.number)
            )
    return replace(hand, mode="predict"), None


def _moved(hand: HandState, scene: StepScene, by: int) -> int:
    frame = chosen(hand, scene)
    numbers = [each.number for each in scene.frames]
    if frame is None or not numbers:
        return 0
    place = numbers.index(frame.number) + by
    return numbers[min(max(place, 0), len(numbers) - 1)]


def came(hand: HandState, frames: tuple[tuple[int, str], ...], now_ns: int) -> HandState:
    """The hand once these frames have come, by number and kind: whether a prediction was right."""
    predictions = hand.predictions
    if not predictions.pending:
        return hand
    later = [kind for number, kind in sorted(frames) if number > predictions.after]
    if later:
        predictions = predictions.decide(later[0])
    elif predictions.is_overdue(now_ns):
        predictions = predictions.decide("nothing")
    else:
        return hand
    return replace(hand, predictions=predictions, message=predictions.last)
