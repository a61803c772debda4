"""Signals end a screen, and do afterwards what they did before."""

from __future__ import annotations

import os
import signal

import pytest
from keyed import Typist, typed_at

from lab.screen.app import ENDING, DebuggerApp


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_the_screen(number: signal.Signals) -> None:
    app = DebuggerApp()
    before = signal.getsignal(number)

    async def kill(typist: Typist) -> None:
        os.kill(os.getpid(), number)
        await typist.settled()

    typed_at(app, kill)
    assert app.was_interrupted
    assert signal.getsignal(number) == before
