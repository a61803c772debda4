"""Two commands of anybody's as a scenario: `wirelab run --server CMD --client CMD`."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from lab.checks.ad_hoc import AD_HOC_CLAIMS
from lab.errors import UsageError
from lab.model.program import LINGER_S, Listening, Program, Step
from lab.model.scenario import Scenario
from lab.model.topology import two_hosts

DEADLINE_S = 10.0
"""When the server must listen and the client have ended, by default."""

AD_HOC = "ad-hoc"
"""The name of such a scenario, in recordings and of the folder of its runs."""

STEP = "ad-hoc"
DEFAULT_PORT = 4242
DEFAULT_SOCKET = "ad-hoc.sock"
SHARED_DIRECTORY = "/run/wirelab"

WORDS = ("server", "client", "server_url", "client_url", "family", "python", "loopback")
"""Words of a program's argv that a command may use, each in braces; `port` and `unix` too."""

# A word behind a "$" is the shell's: sh -c 'echo ${server}'.
_BRACE = re.compile(r"(?<!\$)\{(\w+)\}|[{}]")


def ad_hoc_scenario(
    server: str | None,
    client: str,
    *,
    port: int | None = None,
    unix: str = "",
    deadline_s: float = DEADLINE_S,
    waits: bool = True,
    linger_s: float | None = None,
) -> Scenario:
    """The two commands on two hosts, the client started once the server can be reached.

    Without a server the client runs alone. Where it does not wait both are started at once. A
    server that serves on is ended `linger_s` after the client, by default as soon as it has closed
    what the client has closed.

    A command is split into words as by a shell, and run without one. `{server}`, `{port}` and
    so on are replaced in it (see WORDS); all other braces stay. The server is waited for at
    `port`; where that is None at 4242 if a command has `{port}`, else at any. With `unix` it is
    waited for at that socket instead, a relative path being one in /run/wirelab.
    Raises UsageError.
    """
    commands = (server or "") + client
    if unix or "{unix}" in commands:
        unix = _path(unix or DEFAULT_SOCKET)
    if port is None and "{port}" in commands:
        port = DEFAULT_PORT
    words = {"port": "" if port is None else str(port), "unix": unix}
    programs: list[Program] = []
    if server is not None:
        programs.append(
            Program(
                "server",
                host="server",
                argv=_argv("--server", server, words),
                listens=Listening(port, unix, deadline_s) if waits else None,
                deadline_s=deadline_s,
                serves=True,
                linger_s=LINGER_S if linger_s is None else linger_s,
            )
        )
    argv = _argv("--client", client, words)
    programs.append(Program("client", host="client", argv=argv, deadline_s=deadline_s))
    return _scenario(tuple(programs), is_unix=bool(unix))


def recorded_scenario() -> Scenario:
    """What judges a recording of such a run: the claims do not depend on the commands."""
    return _scenario((), is_unix=False)


def _scenario(programs: tuple[Program, ...], is_unix: bool) -> Scenario:
    return Scenario(
        name=AD_HOC,
        summary="two programs of your own",
        topology=two_hosts(),
        steps=(Step(STEP, programs),),
        claims=tuple(replace(claim, despite_failures=True) for claim in AD_HOC_CLAIMS),
        speaks_ip=not is_unix,
        captures_loopback=is_unix,
    )


def _path(name: str) -> str:
    """A unix socket's name: an abstract one, or a path, of the shared folder where relative."""
    return name if name.startswith(("/", "@")) else f"{SHARED_DIRECTORY}/{name}"


def _argv(option: str, command: str, values: dict[str, str]) -> tuple[str, ...]:
    """The command's words, as Program.expanded takes them."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"cannot split {option} {command!r} into words: {error}") from None
    if not words:
        raise UsageError(f"{option} is empty; give it a command")
    return tuple(_BRACE.sub(lambda match: _replaced(match, values), word) for word in words)


def _replaced(match: re.Match[str], values: dict[str, str]) -> str:
    """A known word's value or itself, all other braces doubled: str.format leaves those single."""
    name = match[1]
    if name in values:
        return _doubled(values[name])
    return match[0] if name in WORDS else _doubled(match[0])


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
