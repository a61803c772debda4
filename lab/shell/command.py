"""What a line of a session asks for."""

from __future__ import annotations

from lab.frozen import frozen


@frozen
class RunProgram:
    """A program on a host."""

    host: str
    argv: tuple[str, ...]
    """Names of hosts in it are replaced; through /bin/sh where the line needs a shell."""
    text: str
    """As it was typed, without the host."""
    is_job: bool
    """Whether it ended in "&": the next line is not kept waiting."""


@frozen
class ShowHosts:
    """List the hosts and their addresses."""


@frozen
class ShowLinks:
    """List the links."""


@frozen
class ShowJobs:
    """List the jobs."""


@frozen
class EndJob:
    """End a job by SIGTERM."""

    number: int


@frozen
class SetRule:
    """What happens to frames on a link from now on."""

    text: str
    """As docs/wire.md has it."""


@frozen
class EndRulesOf:
    """What happens to frames on a link ends."""

    way: str
    """As in a rule: client-server, or client>server for one way."""


@frozen
class ShowRules:
    """List the rules that hold."""


@frozen
class ShowLadder:
    """Draw what has happened so far."""


@frozen
class PingAll:
    """One ping from each host to each other."""


@frozen
class ShowHelp:
    """Say what there is to type."""


@frozen
class Quit:
    """End the session."""


Command = (
    RunProgram
    | ShowHosts
    | ShowLinks
    | ShowJobs
    | EndJob
    | SetRule
    | EndRulesOf
    | ShowRules
    | ShowLadder
    | PingAll
    | ShowHelp
    | Quit
)
