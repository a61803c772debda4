"""Runs that a test steps through: a hand that waits for frames, and decides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.kernel.stepping.control import StepControl
from lab.kernel.stepping.updates import Answered, Over, Stepping, Update
from lab.model.family import Family
from lab.model.scenario import Scenario
from lab.records import ProgramNow, SocketNow, Syscall
from lab.results import Result
from lab.run import run_scenario
from lab.wire.headers import Headers
from lab.wire.held import Decided, HeldFrame, Passed
from lab.wire.matching import holds_of
from lab.wire.rule import Term

DEADLINE_S = 60.0


class Hand:
    """Follows what a stepped run says."""

    def __init__(self, control: StepControl) -> None:
        self.control = control
        self.frames: list[HeldFrame] = []
        """What waits, or can be recalled."""
        self.passed: list[Passed] = []
        self.decided: list[Decided] = []
        self.programs: dict[str, ProgramNow] = {}
        self.sockets: tuple[SocketNow, ...] = ()
        self.calls: dict[tuple[str, int, int], Syscall] = {}
        self.steps: list[str] = []
        self.is_passing = False

    def hear(self) -> str | None:
        """What the run says next: why a decision was refused, "" where it was not, None else."""
        match self.control.next():
            case Answered(why):
                return why
            case Update() as update:
                self._see(update)
                self.control.seen()
            case Over():
                pass
        return None

    def wait(self, until: Callable[[Hand], bool]) -> None:
        """Hear until that is so. The run's deadline ends it, and the test with it."""
        while not until(self):
            assert not self.control.is_over, "the run is over"
            self.hear()

    def frame(self, is_it: Callable[[Headers], bool]) -> HeldFrame:
        """The first frame that waits of which that is true, waited for."""
        self.wait(lambda hand: any(is_it(Headers(each.data)) for each in hand.waiting))
        return next(each for each in self.waiting if is_it(Headers(each.data)))

    @property
    def waiting(self) -> list[HeldFrame]:
        return [each for each in self.frames if each.state == "waits"]

    def answer(self) -> str:
        """Why the last decision was refused; "" where it was not, or the run was over before."""
        while (why := self.hear()) is None:
            if self.control.is_over:
                return ""
        return why

    def deliver(self, number: int) -> str:
        self.control.deliver(number)
        return self.answer()

    def decide(self, number: int, words: str) -> str:
        self.control.decide(number, words)
        return self.answer()

    def deliver_rest(self) -> None:
        """Deliver whatever comes, until the run needs nobody any more."""
        self.control.pass_until()
        self.answer()
        while not self.control.is_over:
            self.hear()

    def deliver_up_to(self, is_it: Callable[[Headers], bool]) -> HeldFrame:
        """Deliver what comes, one after another, until such a frame waits."""
        while True:
            self.wait(lambda hand: bool(hand.waiting))
            first = self.waiting[0]
            if is_it(Headers(first.data)):
                return first
            self.deliver(first.number)
            self.wait(_is_gone(first.number))

    def _see(self, update: Update) -> None:
        if update.step not in self.steps:
            self.steps.append(update.step)
        if update.gates is not None:
            self.frames = [each for link in update.gates.waiting for each in link]
            self.passed += [each for link in update.gates.passed for each in link]
            self.decided = [each for link in update.gates.decided for each in link]
            self.is_passing = update.gates.is_passing
        for program in update.programs or ():
            self.programs[program.name] = program
        self.sockets = update.sockets if update.sockets is not None else self.sockets
        for call in update.calls:
            self.calls[call.program, call.tid, call.entry_ns] = call


def _is_gone(number: int) -> Callable[[Hand], bool]:
    return lambda hand: all(each.number != number for each in hand.waiting)


def stepped(
    wanted: Path | Scenario,
    use: Callable[[Hand], None],
    out: Path,
    *,
    family: Family = Family.IPV4,
    deadline_s: float = DEADLINE_S,
    neighbours: bool = False,
    trace: str = "none",
    source: bool = False,
    wire: tuple[str, ...] = (),
) -> Result:
    """A run through which `use` steps."""
    return run_scenario(
        wanted,
        family,
        str(out),
        trace,
        notes_lines=source,
        wire=wire,
        pages=False,
        stepping=Stepping(deadline_s, neighbours),
        step=lambda control: use(Hand(control)),
    )


def is_kind(term: Term) -> Callable[[Headers], bool]:
    """Whether that is true of a frame."""
    return lambda headers: holds_of(term, headers)
