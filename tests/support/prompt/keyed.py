"""Screens of Textual that a test types at, without waiting for time to pass.

Textual's own pilot takes a screen to be done when the process has used little of 20 ms, twice a
key: slow, and it depends on how busy the machine is. An event loop knows when it is done.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable

from textual import events
from textual.app import App
from textual.keys import key_to_character
from textual.pilot import Pilot

_NAMES = {"+": "plus"}
"""How Textual calls keys that are typed here as what they write."""


class _Selector(selectors.DefaultSelector):
    """Says when its loop has nothing to do but to wait: no task can go on, nothing is readable."""

    def __init__(self) -> None:
        super().__init__()
        self.when_idle: list[asyncio.Future[float | None]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout == 0 or not self.when_idle:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            for each in self.when_idle:
                each.set_result(timeout)
            self.when_idle.clear()
        return ready


class _Loop(asyncio.SelectorEventLoop):
    """A loop that can be asked when it is idle, and whose clock can be put forward."""

    def __init__(self) -> None:
        self._watched = _Selector()
        self.skipped_s = 0.0
        super().__init__(self._watched)

    def time(self) -> float:
        return super().time() + self.skipped_s

    async def idle(self) -> float | None:
        """Wait until all that can go on has, and all that is readable was read.

        Returns how many seconds are left then until the next timer; None without one.
        """
        future: asyncio.Future[float | None] = self.create_future()
        self._watched.when_idle.append(future)
        return await future


class Typist:
    """Who presses keys, each when what the last one did has been done."""

    def __init__(self, app: App[None], pilot: Pilot[None], loop: _Loop) -> None:
        self._app, self._pilot, self._loop = app, pilot, loop

    async def press(self, *keys: str) -> None:
        """Press keys by their names, or by what they write."""
        for key in keys:
            writes = key if len(key) == 1 else key_to_character(key)
            self._app.post_message(events.Key(_NAMES.get(key, key), writes))
            await self.settled()

    async def settled(self) -> None:
        """Wait until everything that has come is dealt with, drawn, and dealt with as drawn."""
        await self._loop.idle()
        for _ in range(2):
            if self._app.is_running:
                await self._pilot.pause(0)
                await self._loop.idle()

    async def wait(self, until: Callable[[], bool]) -> float:
        """Wait until then, but skip what nothing is done in. Returns how many seconds passed."""
        before_s = self._loop.time()
        while not until():
            left_s = await self._loop.idle()
            assert left_s is not None, "nothing will come any more"
            self._loop.skipped_s += left_s
        return self._loop.time() - before_s


def typed_at(
    app: App[None], use: Callable[[Typist], Awaitable[None]], size: tuple[int, int] = (80, 24)
) -> None:
    """Run the app without a terminal while somebody types at it."""
    app.animation_level = "none"  # what moves takes its time

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, _Loop)
            await use(Typist(app, pilot, loop))

    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(run())
