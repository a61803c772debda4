"""The panes on a screen of any size."""

from __future__ import annotations

import pytest
from keyed import Typist, typed_at
from step_scenes import frame, scene
from textual.widgets import Static

from lab.screen.app import DebuggerApp
from lab.screen.board import StepBoard
from lab.stepping.keys import HandState
from lab.stepping.panes import STEP_KEYS, TIMERS_RUN


def text_of(board: StepBoard, name: str) -> str:
    return str(board.query_one(f"#{name}", Static).render())


@pytest.mark.parametrize("size", [(80, 24), (132, 50), (60, 18)])
def test_panes_stand_side_by_side(size: tuple[int, int]) -> None:
    app = DebuggerApp()
    board = StepBoard()

    async def look(typist: Typist) -> None:
        await app.push_screen(board)
        board.show(scene(frame(3)), HandState(message="so"), STEP_KEYS, TIMERS_RUN)
        await typist.settled()
        assert text_of(board, "left").startswith("client")
        assert text_of(board, "right").startswith("server")
        assert ">--> 3 PSH ACK" in text_of(board, "wire")
        bottom = text_of(board, "bottom")
        assert bottom.startswith("so") and ("80x24" in bottom) == (size < (80, 24))
        regions = [board.query_one(f"#{name}").region for name in ("left", "wire", "right")]
        ends = [0, *(region.right for region in regions)]
        assert [region.x for region in regions] == ends[:3]
        assert regions[2].right == size[0]
        assert board.query_one("#bottom").region.bottom == size[1]

    typed_at(app, look, size)
