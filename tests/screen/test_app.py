"""Signals end a screen, and do afterwards what they did before."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from lab.screen.app import ENDING, DebuggerApp


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_the_screen(number: signal.Signals) -> None:
    app = DebuggerApp()
    before = signal.getsignal(number)

    async def run() -> None:
        async with app.run_test() as pilot:
            os.kill(os.getpid(), number)
            while app.is_running:
                await pilot.pause(0.01)

    asyncio.run(run())
    assert app.was_interrupted
    assert signal.getsignal(number) == before
