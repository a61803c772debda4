"""What both screens have in common: keys and signals that end them."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from textual.app import App
from textual.binding import Binding

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
