"""A bench with a submission on it: what a sheet's trials are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab.ad_hoc import DEADLINE_S, argv_of
from lab.errors import UsageError
from lab.model.allowed import Cell
from lab.model.program import Listening, Program
from lab.model.topology import Topology
from lab.testing.bench import Bench, Settings

if TYPE_CHECKING:
    from lab.grade.submission import Submission
    from lab.model.scenario import Scenario
    from lab.results import Result

LISTENS_WITHIN_S = 8.0
"""So soon a submission must be reached: Java starts in a second or two on a busy machine."""


CPU_SHARE = 0.25
"""Of its deadline a function may be at work: it waits for what it tries, mostly, and on a busy
machine it is given no more."""


class SubmissionBench(Bench):
    """A trial's bench: `submission` says where what was handed in runs; the rest is as in tests.

    `run` is called once.
    """

    def __init__(self, settings: Settings, wanted: Submission, command: str, cell: Cell) -> None:
        """`command` starts what was handed in.

        Nothing is written of the run: no student reads a path of the grader's, and what was
        seen is judged at once.
        """
        super().__init__(None, settings)
        self.port = wanted.port
        """The sheet's: what {port} stands for."""
        self.submissions: list[str] = []
        """The names of its programs that are the submission."""
        self.awaited: list[str] = []
        """The names of those that are waited for."""
        self._submission = wanted
        self._command = command
        self._cell = cell
        self._asks_for_rest = True
        self._cpu_share = CPU_SHARE

    def submission(
        self,
        arguments: str | None = None,
        *,
        on: str = "server",
        port: int | None = None,
        waits: bool = True,
        serves: bool = True,
        deadline_s: float = DEADLINE_S,
        listens_within_s: float = LISTENS_WITHIN_S,
        linger_s: float = 0.0,
        name: str = "",
    ) -> str:
        """What was handed in, on a host, with these arguments or the sheet's own; its name.

        What is started after it waits until it listens or has bound a UDP socket, at any port,
        unless `waits` is False. One that `serves` is ended after all others, `linger_s` later; one
        that does not has to end by itself. It may be started several times.
        """
        words = self._submission.arguments if arguments is None else arguments
        command = f"{self._command} {words}"
        named = self._name(name or on)
        self.submissions.append(named)
        if waits:
            self.awaited.append(named)

        def program(topology: Topology) -> Program:
            argv = argv_of("bench.submission", command, *self._words(topology, port or self.port))
            return Program(
                named,
                on,
                argv,
                listens=Listening(None, "", listens_within_s) if waits else None,
                deadline_s=deadline_s,
                serves=serves,
                linger_s=linger_s,
                ends_others=False,
                # Of several starts of it each is tried by itself.
                is_needed=len(self.submissions) == 1,
                cell=self._cell,
            )

        self._wanted.append(program)
        return named

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
        """Run what was started. `wire` are rules besides those of `bench.wire`.

        Raises UsageError for a second run, and what Bench.run does.
        """
        if self.results:
            raise UsageError("a trial makes one run: a second one is a trial of its own")
        given = (scenario, server, client, port, family, trace)
        if unix or any(each is not None for each in given) or not self.submissions:
            raise UsageError(
                "a trial runs what bench.submission, bench.start and bench.python have said, the "
                "submission among them; the family and the tracing are said by @trial(…)"
            )
        return super().run(wire=wire, deadline_s=deadline_s)
