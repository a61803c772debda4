"""`wirelab step`: a run whose frames wait for the keys that are pressed here."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from lab.kernel.stepping.control import StepControl
from lab.kernel.stepping.updates import Answered, Over, Update
from lab.screen.app import BoardApp
from lab.screen.forms import Ask, Choose, EditForm, TextPage
from lab.stepping.frame_text import editable
from lab.stepping.help import STEP_HELP
from lab.stepping.keys import Act, HandState, came, chosen, press
from lab.stepping.live import Live, live_scene
from lab.stepping.panes import STEP_KEYS, TIMERS_RUN
from lab.stepping.scene import StepScene

TICK_S = 0.2
"""As often the times on the screen go on."""
QUIT = (
    "End the stepping? What waits now:\n\n"
    "  d  is delivered\n  x  is dropped\n\n"
    "Everything after it passes, and the programs have 10 seconds to end.\n"
    "Escape: step on"
)
_QUIT_KEYS = {"deliver": "d", "drop": "x"}


class StepApp(BoardApp):
    """The screen of a run that is stepped."""

    def __init__(self, control: StepControl, live: Live, at_quit: str) -> None:
        """`at_quit` is what becomes of what waits then: "deliver", "drop", or "ask"."""
        super().__init__()
        self.live = live
        self.hand = HandState()
        self.failure: BaseException | None = None
        """Why the run has ended by itself, if it was not because it was done."""
        self._control = control
        self._at_quit = at_quit
        self._until_call = ""
        """The host whose next call has frames wait again; "" for none."""
        self._told = 0.0
        self._left_s = 0.0

    @property
    def scene(self) -> StepScene:
        """What is shown."""
        return live_scene(self.live, self.hand.selected)

    def on_mount(self) -> None:
        """Hear what the run says."""
        asyncio.get_running_loop().add_reader(self._control.fileno(), self._hear)
        self.set_interval(TICK_S, self._tick)

    def on_unmount(self) -> None:
        """Hear nothing any more."""
        self._deaf()

    def _press(self, key: str) -> None:
        now_ns = time.time_ns()
        self.hand, act = press(self.hand, key, self.scene, self.live.last, now_ns)
        if act is not None:
            self._do(act)
        self._show()

    def action_leave(self) -> None:
        """End the stepping, as `q` does."""
        self._quit()

    def _deaf(self) -> None:
        asyncio.get_running_loop().remove_reader(self._control.fileno())

    def _hear(self) -> None:
        try:
            said = self._control.next()
        except Exception as error:
            # The run has ended: its error is for whoever has started it.
            self.failure = error
            self.exit()
            return
        match said:
            case Update():
                self._see(said)
                self._control.seen()
            case Answered(why):
                if why:
                    self.hand = replace(self.hand, message=why)
            case Over():
                self._deaf()
                self.exit()
                return
        self._show()

    def _see(self, update: Update) -> None:
        self._told, self._left_s = time.monotonic(), update.left_s
        before = {(call.program, call.tid, call.entry_ns) for call in self.live.calls}
        live = self.live.in_step(update.step, update.links)
        if update.gates is not None:
            gates = update.gates
            live = live.with_gates(
                gates.waiting, gates.more, gates.passed, gates.decided, is_passing=gates.is_passing
            )
        live = live.with_hosts(update.programs, update.sockets)
        live = live.with_calls(update.calls, update.lost_calls)
        self.live = live.at(update.time_ns, update.left_s)
        self._judge()
        if self._until_call:
            hosts = {program.name: program.host for program in live.programs}
            new = [c for c in live.calls if (c.program, c.tid, c.entry_ns) not in before]
            if any(hosts.get(call.program) == self._until_call for call in new):
                self._until_call = ""
                self._control.hold_again()

    def _judge(self) -> None:
        """Whether a prediction was right, by what has come."""
        scene = self.scene
        seen = tuple((frame.number, frame.kind) for frame in (*scene.past, *scene.frames))
        self.hand = came(self.hand, seen, time.time_ns())

    def _tick(self) -> None:
        left_s = max(self._left_s - (time.monotonic() - self._told), 0.0)
        self.live = self.live.at(time.time_ns(), left_s)
        self._judge()
        self._show()

    def _show(self) -> None:
        if self._board.is_mounted:
            self._board.show(self.scene, self.hand, STEP_KEYS, TIMERS_RUN)

    def _do(self, act: Act) -> None:
        control = self._control
        match act.kind:
            case "deliver":
                control.deliver(act.number)
            case "decide":
                control.decide(act.number, act.words)
            case "undo":
                control.undo(act.number)
            case "pass":
                control.pass_until(*act.terms)
            case "pass-call":
                self._until_call = act.words
                control.pass_until()
            case "hold":
                self._until_call = ""
                control.hold_again()
            case "ask-delay":
                self._ask_delay(act.number)
            case "edit":
                self._edit(act.number)
            case "hex":
                self._show_bytes(self.hand, self.scene)
            case "help":
                self.push_screen(TextPage("wirelab step", STEP_HELP))
            case "quit":
                self._quit()

    def _ask_delay(self, number: int) -> None:
        def answered(text: str | None) -> None:
            if text:
                self._control.decide(number, f"delay {text.strip()}")

        self.push_screen(Ask(f"Delay frame {number} by how long? 200ms, 1.5s", "200ms"), answered)

    def _edit(self, number: int) -> None:
        frame = chosen(self.hand, self.scene)
        fields = editable(frame.data) if frame is not None else ()
        if not fields:
            self.hand = replace(self.hand, message="it has no header that can be edited here")
            return

        def answered(words: str | None) -> None:
            if words is not None:
                self._control.decide(number, words)

        self.push_screen(EditForm(f"frame {number}", fields), answered)

    def _quit(self) -> None:
        if self._at_quit in _QUIT_KEYS:
            self._finish(_QUIT_KEYS[self._at_quit])
        else:
            self.push_screen(Choose(QUIT, "dx"), self._finish)

    def _finish(self, key: str | None) -> None:
        if key is not None:
            self._control.finish(drops=key == "x")
            self.exit()


def step_through(control: StepControl, live: Live, at_quit: str) -> None:
    """Show the run until it is over, or whoever steps has had enough.

    Raises what has ended it, and KeyboardInterrupt for Ctrl-C.
    """
    app = StepApp(control, live, at_quit)
    app.run(mouse=False)
    if app.failure is not None:
        raise app.failure
    if app.was_interrupted:
        raise KeyboardInterrupt
