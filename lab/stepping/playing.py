"""A recorded run that is played: where it is, and what a key makes of that."""

from __future__ import annotations

from dataclasses import replace

from lab.frozen import frozen
from lab.stepping.keys import HandState
from lab.stepping.predict import choices
from lab.stepping.recorded import Played, next_frame, played_scene, sends
from lab.stepping.scene import StepScene

SLOWEST, FASTEST = 1e-6, 1e3
_FASTER = 10.0


@frozen
class Playing:
    """Where it is."""

    runs: tuple[Played, ...]
    """The run's steps."""
    step: int = 0
    at: int = 0
    """The last moment that has happened, by its place."""
    hand: HandState = HandState()
    is_running: bool = False
    """Whether it goes on by itself, in time."""
    speed: float = 1.0
    wants: str = ""
    """What is to be shown besides: "hex", "help", "quit"."""

    @property
    def run(self) -> Played:
        """The step that is played."""
        return self.runs[self.step]

    @property
    def scene(self) -> StepScene:
        """What is shown of it."""
        return played_scene(self.run, self.at)

    @property
    def wait_ns(self) -> int | None:
        """How long until the next moment, at this speed; None where it does not go on."""
        if not self.is_running or self.at + 1 >= len(self.run.moments):
            return None
        moments = self.run.moments
        passed_ns = moments[self.at + 1].time_ns - moments[self.at].time_ns
        return round(max(passed_ns, 0) / self.speed)

    def gone_on(self) -> Playing:
        """One moment later; at the step's end it stands still."""
        last = len(self.run.moments) - 1
        at = min(self.at + 1, max(last, 0))
        return replace(self, at=at, is_running=self.is_running and at < last)


def press_play(playing: Playing, key: str) -> Playing:
    """What a key makes of it."""
    playing = replace(playing, wants="", hand=replace(playing.hand, message=""))
    if playing.hand.mode == "predict":
        return _predicted(playing, key)
    last = max(len(playing.run.moments) - 1, 0)
    match key:
        case "right" | "n" | "enter" if playing.hand.predicts and _asks(playing, key):
            return replace(playing, hand=replace(playing.hand, mode="predict"), is_running=False)
        case "right" | "enter":
            return playing.gone_on()
        case "left":
            return replace(playing, at=max(playing.at - 1, 0))
        case "n":
            return replace(playing, at=_frame(playing, 1))
        case "b":
            return replace(playing, at=_frame(playing, -1))
        case "home":
            return replace(playing, at=0)
        case "end":
            return replace(playing, at=last)
        case "pagedown" | "pageup":
            step = playing.step + (1 if key == "pagedown" else -1)
            if not 0 <= step < len(playing.runs):
                return _said(playing, "there is no other step in that direction")
            return replace(playing, step=step, at=0, is_running=False)
        case "space":
            return replace(playing, is_running=not playing.is_running)
        case "plus" | "minus":
            speed = playing.speed * (_FASTER if key == "plus" else 1 / _FASTER)
            speed = min(max(speed, SLOWEST), FASTEST)
            return _said(replace(playing, speed=speed), f"speed: {speed:g} of real time")
        case "p":
            predicts = not playing.hand.predicts
            said = "each frame asks what comes next" if predicts else "asks no more"
            playing = replace(playing, hand=replace(playing.hand, predicts=predicts))
            return _said(playing, f"prediction: {said}")
        case "v":
            return replace(playing, wants="hex", is_running=False)
        case "question_mark" | "f1":
            return replace(playing, wants="help", is_running=False)
        case "q":
            return replace(playing, wants="quit")
    return playing


def _asks(playing: Playing, key: str) -> bool:
    """Whether the key leads to a frame that is sent, or past the last one."""
    return key == "n" or sends(playing.run, playing.at + 1)


def _predicted(playing: Playing, key: str) -> Playing:
    scene, hand = playing.scene, playing.hand
    if key == "escape":
        return replace(playing, hand=replace(hand, mode="wire"))
    for choice in choices(scene.left.host, scene.right.host):
        if choice.key == key:
            predictions = hand.predictions.predict(choice.what, playing.at, 0)
            predictions = predictions.decide(next_frame(playing.run, playing.at))
            hand = replace(hand, mode="wire", predictions=predictions, message=predictions.last)
            return replace(playing, hand=hand, at=_frame(playing, 1))
    return playing


def _frame(playing: Playing, by: int) -> int:
    """The next moment at which a frame is sent, that way; the last, or first, without one."""
    last = len(playing.run.moments) - 1
    at = playing.at + by
    while 0 <= at <= last:
        if sends(playing.run, at):
            return at
        at += by
    return max(last, 0) if by > 0 else 0


def _said(playing: Playing, what: str) -> Playing:
    return replace(playing, hand=replace(playing.hand, message=what))
