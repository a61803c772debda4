"""The screen of a recorded run, driven by keys."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache

import pytest
from keyed import Typist, typed_at
from recorded import recording_of
from textual.widgets import Static

from lab.analysis.assembly import build_timelines
from lab.screen.forms import TextPage
from lab.screen.play import PlayApp
from lab.stepping.playing import Playing
from lab.stepping.recorded import played


@cache
def playing() -> Playing:
    timelines = build_timelines(recording_of("traced-tcp4"))
    return Playing(tuple(played(timeline, "tcp") for timeline in timelines))


def shown(app: PlayApp, name: str) -> str:
    return str(app.screen_stack[1].query_one(f"#{name}", Static).render())


def driven(keys: list[str], look: Callable[[PlayApp], None]) -> PlayApp:
    app = PlayApp(playing())

    async def drive(typist: Typist) -> None:
        await typist.settled()
        await typist.press(*keys)
        look(app)

    typed_at(app, drive)
    return app


def test_a_frame_is_on_the_wire_and_the_calls_beside_it() -> None:
    def look(app: PlayApp) -> None:
        assert "SYN seq=0" in shown(app, "wire") and "on its way" in shown(app, "wire")
        assert "> connect(3, " in shown(app, "left")
        assert "accept" in shown(app, "right")
        assert "A recorded run: keys go through it, and nothing runs." in shown(app, "bottom")

    driven(["n", "n", "n"], look)


def test_bytes_and_help_open_and_go_away() -> None:
    def bytes_are(app: PlayApp) -> None:
        assert isinstance(app.screen, TextPage)

    driven(["n", "v"], bytes_are)
    driven(["question_mark"], bytes_are)
    driven(["n", "v", "x", "n"], lambda app: None)


def test_the_score_is_kept() -> None:
    def look(app: PlayApp) -> None:
        assert "predicted: 1 of 1 right" in shown(app, "bottom")

    driven(["n", "n", "p", "n", "1"], look)


@pytest.mark.parametrize(
    ("keys", "speed"),
    [(("plus", "plus", "plus"), 1000.0), (("end", "b", "b", "b", "minus", "minus"), 0.01)],
)
def test_in_time_it_goes_on_by_itself(keys: tuple[str, ...], speed: float) -> None:
    app = PlayApp(playing())

    async def drive(typist: Typist) -> None:
        await typist.settled()
        await typist.press(*keys)
        left = app.playing.run.moments[app.playing.at :]
        await typist.press("space")
        passed_s = await typist.wait(lambda: not app.playing.is_running)
        assert app.playing.at == len(app.playing.run.moments) - 1
        # An event loop's timers end as early as its clock can tell.
        recorded_s = (left[-1].time_ns - left[0].time_ns) / 1e9
        assert len(left) > 5 and passed_s >= recorded_s / speed - 1e-6 * len(left)

    typed_at(app, drive)


def test_it_goes_on_where_the_process_is_kept_from_running_as_long_as_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times_ms = itertools.count(1000, 2)
    monkeypatch.setattr("textual._time.get_time", lambda: next(times_ms) / 1000)
    app = PlayApp(playing())

    async def drive(typist: Typist) -> None:
        await typist.settled()
        await typist.press("plus", "plus", "plus", "space")
        await typist.wait(lambda: not app.playing.is_running)
        assert app.playing.at == len(app.playing.run.moments) - 1

    typed_at(app, drive)


def test_it_ends_by_a_key() -> None:
    assert driven(["q"], lambda app: None).return_code == 0
    assert driven(["ctrl+c"], lambda app: None).return_code == 0
