"""A session's lines executed one after another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TextIO

from lab.cli.prompt.front import run_front
from lab.cli.prompt.interrupts import Interrupts
from lab.cli.prompt.network import host_lines, link_lines, names_of
from lab.cli.prompt.terminal import run_at_terminal
from lab.errors import PointedError, printable, terminal_text
from lab.kernel.session.control import Control
from lab.kernel.session.requests import Ended, Job
from lab.model.counted import counted
from lab.model.family import Family
from lab.model.program import Program
from lab.model.scenario import Scenario
from lab.records import Recording
from lab.shell.command import (
    Command,
    EndJob,
    EndRulesOf,
    PingAll,
    Quit,
    RunProgram,
    SetRule,
    ShowHelp,
    ShowHosts,
    ShowJobs,
    ShowLadder,
    ShowLinks,
    ShowRules,
)
from lab.shell.grammar import parse_line
from lab.shell.help import HELP


class Session:
    """What lines do, and what is to be remembered between them."""

    def __init__(
        self,
        control: Control,
        scenario: Scenario,
        family: Family,
        interrupts: Interrupts,
        *,
        draw: Callable[[Recording], None],
        has_terminal: bool = False,
    ) -> None:
        """With a terminal its programs have one, too. `draw` shows what was recorded so far.

        Raises UsageError where a host's name cannot be distinguished from a command.
        """
        self._control = control
        self._run = run_at_terminal if has_terminal else run_front
        self._has_terminal = has_terminal
        self._interrupts = interrupts
        self._draw = draw
        self._topology = scenario.topology
        self.names = names_of(scenario, family)
        """What its lines can name."""
        self._started: dict[str, int] = {}
        """By host, how many programs were started there."""
        self._jobs: list[RunProgram] = []
        self._told_ends: set[int] = set()
        self.failed_lines = 0
        """Lines that were wrong, or whose program has failed."""

    def execute_all(self, lines: Iterable[str]) -> None:
        """Execute them until one quits, or there is none left. Raises KeyboardInterrupt."""
        for line in lines:
            if not self.execute(line):
                return
            self._tell_of_jobs()

    def execute(self, line: str) -> bool:
        """Execute one; whether the session goes on."""
        try:
            command = parse_line(line, self.names)
        except PointedError as error:
            self._complain(terminal_text(error))
            return True
        if isinstance(command, Quit):
            return False
        if command is not None:
            self._do(command)
        return True

    def _do(self, command: Command) -> None:
        match command:
            case RunProgram(is_job=True):
                self._start_job(command)
            case RunProgram():
                ended = self._run(self._control, self._program(command), self._interrupts)
                if ended.failure:
                    self._complain(ended.failure)
                elif ended.status:
                    self._complain(f"exit status {ended.status}")
            case ShowHosts():
                _print(host_lines(self._topology))
            case ShowLinks():
                _print(link_lines(self._topology))
            case ShowJobs():
                self._show_jobs()
            case EndJob(number):
                if not self._control.end_job(number):
                    self._complain(f"no job {number} is running")
            case SetRule(text):
                if refusal := self._control.set_rule(text):
                    self._complain(refusal)
            case EndRulesOf(way):
                self._end_rules(way)
            case ShowRules():
                self._show_rules()
            case ShowLadder():
                self._show_ladder()
            case PingAll():
                self._ping_all()
            case ShowHelp():
                _print([HELP])

    def _end_rules(self, way: str) -> None:
        said = self._control.stop_rules(way)
        if isinstance(said, str):
            self._complain(said)
        elif not said:
            self._complain(f"no rule holds for {way}")

    def _show_rules(self) -> None:
        rules = self._control.rules()
        if isinstance(rules, str):
            self._complain(rules)
        else:
            _print(f"{text}  ({counted(matched, 'frame')})" for text, matched in rules)

    def _show_ladder(self) -> None:
        recording = self._control.so_far()
        if isinstance(recording, str):
            self._complain(recording)
        else:
            self._draw(recording)

    def _ping_all(self) -> None:
        """A line for each host: those that have answered it, and X for those that have not."""
        answered = pings = 0
        for host in self.names.addresses:
            found = []
            for other, address in self.names.addresses.items():
                if other == host:
                    continue
                text = f"ping -c1 -W1 {address}"
                program = self._program(RunProgram(host, tuple(text.split()), text, is_job=False))
                try:
                    ended = run_front(self._control, program, self._interrupts, is_shown=False)
                except KeyboardInterrupt:
                    if self._has_terminal:
                        return  # to the prompt
                    raise
                if ended.failure:
                    self._complain(ended.failure)
                    return
                pings += 1
                answered += not ended.status
                found.append("X" if ended.status else other)
            _print([f"{host} -> {' '.join(found)}"])
        if answered < pings:
            self._complain(f"{answered} of {counted(pings, 'ping')} answered")
        else:
            _print([f"{answered} of {counted(pings, 'ping')} answered"])

    def _program(self, command: RunProgram) -> Program:
        """It as a program with a name of its own: the host's, "h1-2" for the second one there."""
        number = self._started[command.host] = self._started.get(command.host, 0) + 1
        name = command.host if number == 1 else f"{command.host}-{number}"
        return Program(name, command.host, command.argv)

    def _start_job(self, command: RunProgram) -> None:
        match self._control.start_job(self._program(command)):
            case Ended(_, failure):
                self._complain(failure)
            case Job(number, pid):
                self._jobs.append(command)
                _print([f"[{number}] {pid}"])

    def _show_jobs(self) -> None:
        jobs = self._control.jobs()
        _print(map(self._line, jobs))
        self._tell(jobs)

    def _tell_of_jobs(self) -> None:
        """Show what jobs have written, and which have ended, since this was done last."""
        if self._jobs:
            jobs = self._control.jobs()
            self._tell(jobs)
            for job in jobs:
                if job.status is not None and job.number not in self._told_ends:
                    self._told_ends.add(job.number)
                    _print([self._line(job)])

    def _line(self, job: Job) -> str:
        """What a job is and how it stands."""
        state = "running" if job.status is None else f"exit status {job.status}"
        if job.status == 0:
            state = "done"
        command = self._jobs[job.number - 1]
        return f"[{job.number}] {state}: {command.host} {printable(command.text)}"

    def _tell(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            lines = job.new.decode("utf-8", "backslashreplace").splitlines()
            _print([f"[{job.number}] {line}" for line in lines])

    def _complain(self, what: str) -> None:
        self.failed_lines += 1
        _print([what], sys.stderr)


def _print(lines: Iterable[str], stream: TextIO | None = None) -> None:
    stream = stream or sys.stdout
    stream.writelines(f"{line}\n" for line in lines)
    stream.flush()
