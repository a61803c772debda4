"""`wirelab play`: a recorded run, in time or event by event."""

from __future__ import annotations

from dataclasses import replace

from textual import events
from textual.timer import Timer

from lab.screen.app import DebuggerApp
from lab.screen.board import StepBoard
from lab.screen.forms import TextPage
from lab.stepping.frame_text import bytes_page
from lab.stepping.help import PLAY_HELP
from lab.stepping.keys import chosen
from lab.stepping.panes import PLAY_KEYS
from lab.stepping.playing import Playing, press_play

NOTE = "A recorded run: keys go through it, and nothing runs."
_NS = 1_000_000_000
_SHORTEST_NS, _LONGEST_NS = _NS // 1000, 60 * _NS


class PlayApp(DebuggerApp):
    """The screen of a recorded run."""

    def __init__(self, playing: Playing) -> None:
        super().__init__()
        self.playing = playing
        self._board = StepBoard()
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        """The panes are shown."""
        self.push_screen(self._board)
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """The terminal has another size."""
        self.call_after_refresh(self._show)

    def on_key(self, event: events.Key) -> None:
        """A key, unless something is open before the panes."""
        if self.screen is not self._board:
            return
        event.stop()
        self.playing = press_play(self.playing, event.key)
        match self.playing.wants:
            case "hex":
                self._show_bytes()
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
            self._timer.stop()
            self._timer = None
        wait_ns = self.playing.wait_ns
        if wait_ns is not None:
            self._timer = self.set_timer(_clamped(wait_ns) / _NS, self._go_on)

    def _go_on(self) -> None:
        self.playing = self.playing.gone_on()
        self._show()
        self._wait()

    def _show_bytes(self) -> None:
        scene = self.playing.scene
        frame = chosen(self.playing.hand, scene) or next(iter(scene.past[-1:]), None)
        if frame is not None:
            self.push_screen(TextPage(f"frame {frame.number}", bytes_page(frame.data)))


def play(playing: Playing) -> None:
    """Show it until whoever looks has seen enough."""
    PlayApp(playing).run(mouse=False)


def _clamped(wait_ns: int) -> int:
    """A time for which a timer can be set, and for which somebody wants to wait."""
    return min(max(wait_ns, _SHORTEST_NS), _LONGEST_NS)
