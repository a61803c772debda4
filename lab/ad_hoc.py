"""Commands of anybody's as a scenario: --server CMD --client CMD, or --on HOST CMD for each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import replace

from lab.checks.ad_hoc import AD_HOC_CLAIMS
from lab.errors import UsageError
from lab.model.program import LINGER_S, Listening, Program, Step
from lab.model.scenario import Scenario
from lab.model.topology import Topology, two_hosts

DEADLINE_S = 10.0
"""When the server must listen and the client have ended, by default."""

AD_HOC = "ad-hoc"
"""The name of such a scenario, in recordings and of the folder of its runs."""

SHELL = "shell"
"""The same of a session, and the name of its step."""

STEP = "ad-hoc"
DEFAULT_PORT = 4242
DEFAULT_SOCKET = "ad-hoc.sock"
SHARED_DIRECTORY = "/run/wirelab"

WORDS = (
    "server", "client", "server_url", "client_url", "server4", "client4", "server6", "client6",
    "family", "python", "loopback",
)  # fmt: skip
"""Words of a program's argv that a command may use, each in braces; `port` and `unix` too."""

_CLOSE = 0.75
"""Of difflib's ratio: "sever" and "server" have 0.91, "prot" and "port" 0.75, "host" and "port"
0.5."""

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
    so on are replaced in it (see WORDS); all other braces stay, but for one that is nearly such a
    word and nowhere else in the command: `{sever}` is an error. The server is waited for at
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
                argv=argv_of("--server", server, words),
                listens=Listening(port, unix, deadline_s) if waits else None,
                deadline_s=deadline_s,
                serves=True,
                linger_s=LINGER_S if linger_s is None else linger_s,
            )
        )
    argv = argv_of("--client", client, words)
    programs.append(Program("client", host="client", argv=argv, deadline_s=deadline_s))
    return _scenario(tuple(programs), is_unix=bool(unix))


def ad_hoc_network(
    topology: Topology,
    commands: Sequence[tuple[str, str]],
    *,
    port: int | None = None,
    deadline_s: float = DEADLINE_S,
    waits: bool = True,
    linger_s: float | None = None,
) -> Scenario:
    """Commands on hosts of a network, each with its host: the first serves all others.

    As in ad_hoc_scenario it is waited for until it can be reached, and is ended after the others,
    which are started together. One command runs alone. Programs are named after their hosts;
    `{h2}`, `{h2_url}` are a host's address. Raises UsageError.
    """
    known = [host for host in topology.hosts if host not in topology.switches]
    for host, _ in commands:
        if host not in known:
            raise UsageError(f"--on {host}: the topology has the hosts {', '.join(known)}")
    if port is None and any("{port}" in command for _, command in commands):
        port = DEFAULT_PORT
    values = {"port": "" if port is None else str(port)}
    names = network_words(topology)
    programs: list[Program] = []
    for number, (host, command) in enumerate(commands):
        same = sum(other == host for other, _ in commands[:number])
        serves = number == 0 and len(commands) > 1
        programs.append(
            Program(
                f"{host}-{same + 1}" if same else host,
                host=host,
                argv=argv_of(f"--on {host}", command, values, names),
                listens=Listening(port, "", deadline_s) if serves and waits else None,
                deadline_s=deadline_s,
                serves=serves,
                linger_s=LINGER_S if linger_s is None else linger_s,
            )
        )
    return _scenario(tuple(programs), is_unix=False, topology=topology)


def session_scenario(topology: Topology) -> Scenario:
    """A session in that network: its programs are started while it lasts (docs/shell.md)."""
    return replace(
        _scenario((), is_unix=False, topology=topology),
        name=SHELL,
        summary="a session of your own",
        steps=(Step(SHELL, ()),),
    )


def recorded_scenario(name: str = AD_HOC) -> Scenario:
    """What judges a recording of such a run: the claims do not depend on the commands."""
    return session_scenario(two_hosts()) if name == SHELL else _scenario((), is_unix=False)


def _scenario(
    programs: tuple[Program, ...], is_unix: bool, topology: Topology | None = None
) -> Scenario:
    return Scenario(
        name=AD_HOC,
        summary="programs of your own" if topology else "two programs of your own",
        topology=topology or two_hosts(),
        steps=(Step(STEP, programs),),
        claims=tuple(replace(claim, despite_failures=True) for claim in AD_HOC_CLAIMS),
        speaks_ip=not is_unix,
        captures_loopback=True,
    )


def _path(name: str) -> str:
    """A unix socket's name: an abstract one, or a path, of the shared folder where relative."""
    return name if name.startswith(("/", "@")) else f"{SHARED_DIRECTORY}/{name}"


def network_words(topology: Topology) -> tuple[str, ...]:
    """The words that a command on a host of this network may use in braces, besides `port`."""
    hosts = [host for host in topology.hosts if host not in topology.switches]
    ends = ("", "_url", "4", "6")
    return (*(f"{host}{end}" for end in ends for host in hosts), "family", "python", "loopback")


def argv_of(
    option: str,
    command: str | Sequence[str],
    values: dict[str, str],
    names: Collection[str] = WORDS,
) -> tuple[str, ...]:
    """The command's words, as Program.expanded takes them; `names` may stand in it in braces.

    A text is split as by a shell. Raises UsageError, which names the `option` it came by.
    """
    try:
        words = shlex.split(command) if isinstance(command, str) else command
    except ValueError as error:
        raise UsageError(f"cannot split {option} {command!r} into words: {error}") from None
    if not words:
        raise UsageError(f"{option} is empty; give it a command")
    _check_words(option, words, {*values, *names})
    return tuple(_BRACE.sub(lambda match: _replaced(match, values, names), word) for word in words)


def _check_words(option: str, words: Sequence[str], known: Collection[str]) -> None:
    """Raise UsageError for a name in braces that is nearly a known one: `{sever}`.

    Not where the name stands elsewhere in the command, as a variable of a program does.
    """
    from difflib import get_close_matches

    command = " ".join(words)
    outside = set(re.findall(r"\w+", _BRACE.sub(" ", command)))
    for match in _BRACE.finditer(command):
        name = match[1]
        if name is None or name in known or name in outside:
            continue
        close = get_close_matches(name.lower(), sorted(known), 1, _CLOSE)
        if close:
            raise UsageError(
                f"{option} has {match[0]}, which is no word of it; did you mean "
                f"{{{close[0]}}}? There are {', '.join(f'{{{each}}}' for each in sorted(known))}"
            )


def _replaced(match: re.Match[str], values: dict[str, str], names: Collection[str]) -> str:
    """A known word's value or itself, all other braces doubled: str.format leaves those single."""
    name = match[1]
    if name in values:
        return _doubled(values[name])
    return match[0] if name in names else _doubled(match[0])


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
