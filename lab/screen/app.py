"""What both screens have in common: a board, its keys, and signals that end them."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from textual import events
from textual.app import App
from textual.binding import Binding

from lab.screen.board import StepBoard
from lab.screen.forms import TextPage
from lab.stepping.frame_text import bytes_page
from lab.stepping.keys import HandState, chosen
from lab.stepping.scene import StepScene

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DebuggerApp(App[None]):
    """A screen that leaves the terminal as it was, whatever ends it."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [  # noqa: RUF012  as Textual has it
        Binding("ctrl+c", "interrupt", priority=True, show=False),
        Binding("ctrl+q", "leave", priority=True, show=False),
    ]

    def __init__(self) -> None:
        # The terminal's own colours: they can be read on its own background, light or dark.
        super().__init__(ansi_color=True)
        self.was_interrupted = False
        """Whether Ctrl-C or a signal has ended it."""
        self._before: dict[signal.Signals, Any] = {}

    def on_mount(self) -> None:
        """From now on signals end the screen first."""
        loop = asyncio.get_running_loop()
        for each in ENDING:
            self._before[each] = signal.getsignal(each)
            loop.add_signal_handler(each, self.action_interrupt)

    def on_unmount(self) -> None:
        """Signals do again what they did before."""
        loop = asyncio.get_running_loop()
        for each, before in self._before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, before)

    def action_interrupt(self) -> None:
        """End at once."""
        self.was_interrupted = True
        self.exit()

    def action_leave(self) -> None:
        """End as the key for that does."""
        self.exit()


class BoardApp(DebuggerApp):
    """A screen that is a board with panes, and what is opened before it."""

    def __init__(self) -> None:
        super().__init__()
        self._board = StepBoard()

    def on_mount(self) -> None:
        """The board is shown."""
        self.push_screen(self._board)
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """The terminal has another size."""
        self.call_after_refresh(self._show)

    def on_key(self, event: events.Key) -> None:
        """A key, unless something is open before the board."""
        if self.screen is self._board:
            event.stop()
            self._press(event.key)

    def _press(self, key: str) -> None:
        """What the key does."""
        raise NotImplementedError

    def _show(self) -> None:
        """Show the moment that it is."""
        raise NotImplementedError

    def _show_bytes(self, hand: HandState, scene: StepScene) -> None:
        """The bytes of the chosen frame; where none waits, of the last that has gone."""
        frame = chosen(hand, scene) or next(iter(scene.past[-1:]), None)
        if frame is not None:
            self.push_screen(TextPage(f"frame {frame.number}", bytes_page(frame.data)))
