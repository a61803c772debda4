"""The fixture `lab`: programs and functions on hosts, runs of them, and what is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab.ad_hoc import DEADLINE_S, DEFAULT_PORT, argv_of, network_words
from lab.errors import UsageError
from lab.frozen import frozen
from lab.model.allowed import Cell
from lab.model.family import Family
from lab.model.program import Listening, Program, Step
from lab.model.scenario import Scenario
from lab.model.topology import Topology, two_hosts
from lab.testing.faults import Wire
from lab.testing.function import Called, FunctionFailed, words_of

if TYPE_CHECKING:
    from lab.results import Result

SCENARIO = "pytest"
"""The name of what a test puts together, in recordings."""


@frozen
class Settings:
    """What a test's marker and the command line ask for."""

    topology: Topology | str | None = None
    family: int = 4
    trace: str = "auto"
    sysctls: Mapping[str, int | str] | None = None
    with_pages: bool = False
    """Whether each run writes report.html and ladder.svg."""


class Bench:
    """A test's lab. Nothing runs before `run`, which returns what can be expected of.

    `lab.start` and `lab.python` say what runs where, in the order of their start.
    """

    def __init__(self, out: Path | None, settings: Settings) -> None:
        """Without `out` nothing is written of its runs."""
        self.results: list[Result] = []
        """Of all runs, in their order."""
        self.called: list[Called] = []
        self._out = out
        self._settings = settings
        self._topology = settings.topology or two_hosts()
        self._wanted: list[Callable[[Topology], Program]] = []
        self._functions: list[Called] = []
        self._rules: list[str] = []
        self._names: list[str] = []
        self._cpu_share = 0.0
        """How much of their deadline functions may be at work, not waiting; 0 for all of it."""
        self._asks_for_rest = False
        """Whether functions may ask when all other programs have come to rest."""

    @property
    def has_expected(self) -> bool:
        """Whether anything was expected of a run, or a function's value read."""
        return any(each.expected for each in self.results) or any(
            each.is_read for each in self.called
        )

    @property
    def wire(self) -> Wire:
        """Faults on the links of the next run."""
        return Wire(self._rules.append, self._only_link)

    def topology(self, topology: Topology | str) -> None:
        """The network of the runs that follow: a value such as star(3), or words, "star:3"."""
        self._topology = topology

    def start(
        self,
        command: str,
        on: str = "server",
        *,
        port: int | None = None,
        waits: bool = True,
        deadline_s: float = DEADLINE_S,
        name: str = "",
        cell: Cell | None = None,
        serves: bool = True,
    ) -> str:
        """A server on a host: it is waited for until it listens, and ended after the others.

        `command` is split into words as by a shell; {server}, {server_url}, {port} are replaced in
        it. `port` is where it listens, any if None; without `waits` the next starts at once.
        `cell` holds what nobody trusts (docs/submissions.md). What does not serve is waited for to
        end by itself, and not to listen.
        Returns the program's name.
        """
        named = self._name(name or on)
        listens = None
        if waits and serves:
            listens = Listening(self._port(command, port), "", deadline_s)

        def program(topology: Topology) -> Program:
            argv = argv_of("lab.start", command, *self._words(topology, port))
            return Program(
                named,
                on,
                argv,
                listens=listens,
                deadline_s=deadline_s,
                serves=serves,
                cell=cell,
            )

        self._wanted.append(program)
        return named

    def python(
        self,
        function: Callable[..., object],
        *arguments: object,
        on: str = "client",
        deadline_s: float = DEADLINE_S,
        name: str = "",
        first: bool = False,
        listens: int | None = None,
    ) -> Called:
        """A function of the test's own file, which runs in a process of its own on that host.

        In texts among the arguments {server} and so on are replaced. It may be a coroutine
        function. Its value can be read after `run`; where it raises, `run` does. What is started
        after it waits for its end where it comes `first`, and until it has bound the port that it
        `listens` at, where one is given. Raises UsageError.
        """
        called = Called(self._name(name or on), function)
        words = words_of(function, arguments, deadline_s * self._cpu_share)

        def program(topology: Topology) -> Program:
            argv = argv_of("lab.python", words, *self._words(topology, None))
            waits = None if listens is None else Listening(listens, "", deadline_s)
            return Program(
                called.name,
                on,
                argv,
                signals_ready=first,
                deadline_s=deadline_s,
                listens=waits,
                asks_for_rest=self._asks_for_rest,
            )

        self._wanted.append(program)
        self._functions.append(called)
        return called

    def run(
        self,
        scenario: Scenario | str | Path | None = None,
        *,
        server: str | None = None,
        client: str | None = None,
        port: int | None = None,
        unix: str = "",
        family: int | None = None,
        trace: str | None = None,
        deadline_s: float = DEADLINE_S,
        wire: Sequence[str] = (),
    ) -> Result:
        """Run a scenario; or two commands, as `wirelab run` does; or what was started.

        `wire` are rules besides those of the fixture. What was started and the rules are forgotten
        then. Raises FunctionFailed for a function that raised, LabError as lab.api.run.
        """
        __tracebackhide__ = True
        from lab.ad_hoc import ad_hoc_scenario
        from lab.run import run_scenario
        from lab.scenario_files import find_scenario

        wanted: Scenario | Path
        if scenario is not None:
            found = not isinstance(scenario, Scenario)
            wanted = find_scenario(str(scenario)) if found else scenario  # type: ignore[assignment]
        elif client is not None:
            wanted = ad_hoc_scenario(server, client, port=port, unix=unix, deadline_s=deadline_s)
        else:
            wanted = self._put_together()
        functions, rules = self._functions, (*self._rules, *wire)
        self._wanted, self._functions, self._rules, self._names = [], [], [], []
        settings = self._settings
        result = run_scenario(
            wanted,
            Family(family or settings.family),
            None if self._out is None else str(self._out),
            trace or settings.trace,
            source="-",
            wire=rules,
            sysctls=settings.sysctls,
            pages=settings.with_pages,
        )
        self.results.append(result)
        self.called += functions
        programs = {run.name: run for timeline in result.timelines for run in timeline.programs}
        failed = [(each, text) for each in functions if (text := each.ended(programs[each.name]))]
        if failed:
            from lab.report.failure.failure import further_lines

            _, timelines, files = result.drawn()
            lines = (*(text.rstrip() for _, text in failed), *further_lines(timelines, files))
            worst = next((each for each, _ in failed if each.is_mistaken), failed[0][0])
            raise FunctionFailed("\n".join(lines), said=worst.said, is_mistaken=worst.is_mistaken)
        return result

    def _put_together(self) -> Scenario:
        if not self._wanted:
            raise UsageError(
                "nothing to run: give a scenario, server= and client=, or say what runs where "
                "by lab.start and lab.python"
            )
        topology = self._network()
        step = Step(SCENARIO, tuple(make(topology) for make in self._wanted))
        return Scenario(
            name=SCENARIO,
            summary="programs of a test",
            topology=topology,
            steps=(step,),
            claims=(),
            captures_loopback=True,
        )

    def _network(self) -> Topology:
        if isinstance(self._topology, str):
            from lab.scenario_files import topology_called

            self._topology = topology_called(self._topology)
        return self._topology

    def _words(
        self, topology: Topology, port: int | None
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """The words that commands may have in braces: their values, and those of the run."""
        return {"port": str(port or DEFAULT_PORT)}, network_words(topology)

    def _port(self, command: str, port: int | None) -> int | None:
        return DEFAULT_PORT if port is None and "{port}" in command else port

    def _only_link(self) -> str:
        links = self._network().links
        if len(links) != 1:
            raise UsageError("the network has several links: say which, on='client>server'")
        (link,) = links
        return "-".join(end.host for end in link.ends)

    def _name(self, wanted: str) -> str:
        """The program's name: its host's, with a number where that is taken."""
        same = self._names.count(wanted)
        self._names.append(wanted)
        return f"{wanted}-{same + 1}" if same else wanted
