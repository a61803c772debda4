"""The screen of a stepped run, driven by keys; what the run says is a test's."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from keyed import Typist, typed_at
from step_scenes import segment
from textual.widgets import Static

from lab.errors import InstrumentError
from lab.kernel.links.holding import AtGates
from lab.kernel.stepping.updates import Answered, Over, Update
from lab.records import LinkNow, ProgramNow, SocketNow, Syscall
from lab.screen.forms import Ask, Choose, EditForm, TextPage
from lab.screen.step import StepApp
from lab.stepping.live import Live
from lab.wire.held import Decided, HeldFrame
from lab.wire.rule import Term

# Begun first, as are those of tests/blind.
pytestmark = pytest.mark.timeout(300)

S = 1_000_000_000
LINKS = (LinkNow("a", ("client/eth0", "server/eth0")),)
CLIENT = ProgramNow("client", "client", ("x",), 9, None, "", None)
SOCKET = SocketNow(
    "client", "tcp", "SYN_SENT", "192.0.2.1", 5000, "192.0.2.2", 80, 0, 1,
    "retransmission", 1 << 62, 0, 1_000_000, 7,
)  # fmt: skip
CONNECT = Syscall("client", 9, 9, "listen", (3, 5), (), 10, None, None, "inode 7")


class Said:
    """A control of a run that says what the test wants, and remembers what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self._said: list[object] = []
        self._readable, self._writable = os.pipe()
        self.seen_updates = 0

    def say(self, *values: object) -> None:
        for each in values:
            self._said.append(each)
            os.write(self._writable, b".")

    def fileno(self) -> int:
        return self._readable

    def next(self) -> object:
        os.read(self._readable, 1)
        said = self._said.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    def seen(self) -> None:
        self.seen_updates += 1

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *words, **more: self.asked.append((name, *words, *more.values()))

    def close(self) -> None:
        os.close(self._readable)
        os.close(self._writable)


def held(number: int, side: int = 0, state: str = "waits") -> HeldFrame:
    data = segment(number)
    return HeldFrame(number, side, S, data, data, False, state, 0)


def update(*frames: HeldFrame, passing: bool = False, **more: Any) -> Update:
    decided = tuple(Decided(1, "x", each.number, False) for each in frames if each.state != "waits")
    gates = AtGates((frames,), 0, ((),), passing, (decided,))
    return Update(2 * S, "talk", LINKS, gates, left_s=60.0, **more)


TWO = update(held(1), held(2), programs=(CLIENT,), sockets=(SOCKET,), calls=(CONNECT,))


def driven(
    said: list[object],
    *keys: str,
    look: Callable[[StepApp], None] = lambda app: None,
    at_quit: str = "ask",
    then: list[object] | None = None,
) -> tuple[StepApp, list[tuple[object, ...]]]:
    """The screen after the run has said something, keys were pressed, and it has said more."""
    control: Any = Said()
    app = StepApp(control, Live("tcp", "x86_64"), at_quit)

    async def drive(typist: Typist) -> None:
        control.say(*said)
        await typist.settled()
        await typist.press(*keys)
        control.say(*then or [])
        await typist.settled()
        if app.is_running:
            look(app)

    typed_at(app, drive)
    control.close()
    return app, control.asked


def shown(app: StepApp, name: str) -> str:
    return str(app.screen_stack[1].query_one(f"#{name}", Static).render())


def test_what_waits_the_call_and_the_timer_are_shown() -> None:
    def look(app: StepApp) -> None:
        assert "> listen(3, 5)" in shown(app, "left") and "SYN_SENT" in shown(app, "left")
        assert "resends in" in shown(app, "left")
        assert ">--> 1 PSH ACK" in shown(app, "wire") and "waits for" in shown(app, "wire")
        assert "timers run on while frames wait" in shown(app, "bottom")
        assert "tcp: talk" in shown(app, "head") and "left" in shown(app, "head")

    driven([TWO], look=look)


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (["d"], [("deliver", 1)]),
        (["down", "x"], [("decide", 2, "drop")]),
        (["c"], [("decide", 1, "duplicate")]),
        (["s"], [("decide", 1, "swap")]),
        (["g", "f"], [("pass_until", Term.FIN)]),
        (["g", "e"], [("pass_until",)]),
        (["y", "5", "0", "enter"], [("decide", 1, "delay 50")]),
        (["y", "escape"], []),
        (["e", "S", "enter"], [("decide", 1, "rewrite flags=S")]),
        (["e", "escape"], []),
        (["p", "d", "4"], [("deliver", 1)]),
        (["q", "d"], [("finish", False)]),
        (["q", "x"], [("finish", True)]),
        (["q", "escape"], []),
        (["ctrl+q", "x"], [("finish", True)]),
        (["v", "x", "question_mark", "x"], []),
    ],
)
def test_keys_become_decisions(keys: list[str], asked: list[tuple[object, ...]]) -> None:
    assert driven([TWO], *keys)[1] == asked


@pytest.mark.parametrize(("at_quit", "drops"), [("deliver", False), ("drop", True)])
def test_what_is_to_become_of_what_waits_may_be_said_before(at_quit: str, drops: bool) -> None:
    app, asked = driven([TWO], "q", at_quit=at_quit)
    assert asked == [("finish", drops)] and app.return_code == 0


@pytest.mark.parametrize(
    ("key", "kind"),
    [("y", Ask), ("e", EditForm), ("v", TextPage), ("question_mark", TextPage), ("q", Choose)],
)
def test_what_opens(key: str, kind: type) -> None:
    def look(app: StepApp) -> None:
        assert isinstance(app.screen, kind)

    driven([TWO], key, look=look)


def test_a_decision_can_be_undone_and_frames_wait_again() -> None:
    assert driven([update(held(1, state="dropped"))], "u")[1] == [("undo", 1)]
    assert driven([update(passing=True)], "g")[1] == [("hold_again",)]


def test_frames_wait_again_at_the_next_call_of_a_host() -> None:
    call = Syscall("client", 9, 9, "close", (3,), (), 30, None, None, "inode 7")
    _, asked = driven([TWO], "g", "l", then=[update(passing=True, calls=(call,))])
    assert asked == [("pass_until",), ("hold_again",)]
    _, asked = driven([TWO], "g", "m", then=[update(passing=True, calls=(call,))])
    assert asked == [("pass_until",)]


def test_why_a_decision_was_refused_is_said() -> None:
    def look(app: StepApp) -> None:
        assert "not now" in shown(app, "bottom")

    driven([TWO], "d", then=[Answered("not now")], look=look)


def test_a_prediction_is_judged_by_what_comes() -> None:
    def look(app: StepApp) -> None:
        assert "right: server data" in shown(app, "bottom")
        assert "predicted: 1 of 1 right" in shown(app, "bottom")

    driven([TWO], "p", "d", "8", then=[update(held(2), held(3, 1))], look=look)


def test_it_ends_with_the_run_or_its_failure_or_by_ctrl_c() -> None:
    app, _ = driven([TWO, Over()])
    assert (app.failure, app.was_interrupted, app.is_running) == (None, False, False)
    broken, _ = driven([TWO, InstrumentError("gone")])
    assert isinstance(broken.failure, InstrumentError)
    interrupted, asked = driven([TWO], "ctrl+c")
    assert interrupted.was_interrupted and asked == []
