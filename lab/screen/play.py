"""`wirelab play`: a recorded run, in time or event by event."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from lab.screen.app import BoardApp
from lab.screen.forms import TextPage
from lab.stepping.help import PLAY_HELP
from lab.stepping.panes import PLAY_KEYS
from lab.stepping.playing import Playing, press_play

NOTE = "A recorded run: keys go through it, and nothing runs."
_NS = 1_000_000_000
_SHORTEST_NS, _LONGEST_NS = _NS // 1000, 60 * _NS


class PlayApp(BoardApp):
    """The screen of a recorded run."""

    def __init__(self, playing: Playing) -> None:
        super().__init__()
        self.playing = playing
        self._timer: asyncio.TimerHandle | None = None

    def _press(self, key: str) -> None:
        self.playing = press_play(self.playing, key)
        match self.playing.wants:
            case "hex":
                self._show_bytes(self.playing.hand, self.playing.scene)
            case "help":
                self.push_screen(TextPage("wirelab play", PLAY_HELP))
            case "quit":
                self.exit()
        self.playing = replace(self.playing, wants="")
        self._show()
        self._wait()

    def _show(self) -> None:
        if self._board.is_mounted:
            playing = self.playing
            note = NOTE
            if len(playing.runs) > 1:
                note = f"step {playing.step + 1} of {len(playing.runs)}, PgUp PgDn. {NOTE}"
            self._board.show(playing.scene, playing.hand, PLAY_KEYS, note)

    def _wait(self) -> None:
        """Go on after as long a time as passed then."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wait_ns = self.playing.wait_ns
        if wait_ns is not None:
            # Textual's own timers never come where the process is kept from running for as long
            # as they are to wait (8.2, Timer._run skips what is late): a millisecond at times.
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_clamped(wait_ns) / _NS, self.call_next, self._go_on)

    def _go_on(self) -> None:
        self.playing = self.playing.gone_on()
        self._show()
        self._wait()


def play(playing: Playing) -> None:
    """Show it until whoever looks has seen enough."""
    PlayApp(playing).run(mouse=False)


def _clamped(wait_ns: int) -> int:
    """A time for which a timer can be set, and for which somebody wants to wait."""
    return min(max(wait_ns, _SHORTEST_NS), _LONGEST_NS)
