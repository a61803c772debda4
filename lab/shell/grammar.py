"""Lines of a session: `client ping -c1 server`, `links`. The grammar is in docs/shell.md."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from lab.errors import PointedError, UsageError, did_you_mean
from lab.frozen import frozen
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
from lab.shell.line import LineWord, fault, needs_shell, words_of
from lab.wire.binding import LinkEnd, bound

SHELL = "/bin/sh"
_JOB = re.compile(r"%?(\d{1,9})")
# A word behind a "$" is the shell's: client sh -c 'echo ${server}'.
_BRACE = re.compile(r"(?<!\$)\{(\w[\w-]*)\}")


@frozen
class Names:
    """What a line can name. Raises UsageError where a host has a command's name."""

    hosts: tuple[str, ...]
    addresses: Mapping[str, str]
    """Of hosts that have one: what stands for the host's name as a word of a program's."""
    values: Mapping[str, str]
    """What stands for a word in braces: {server_url}, {port}."""
    links: tuple[tuple[LinkEnd, LinkEnd], ...] = ()
    """Of each link the host and the interface at both ends."""

    def __post_init__(self) -> None:
        for host in self.hosts:
            if host in COMMANDS:
                raise UsageError(
                    f"the host {host!r} has the name of a command; a session needs another"
                )


def parse_line(line: str, names: Names) -> Command | None:
    """What the line asks for; None for an empty one, and for a comment.

    Raises PointedError, which shows the word that is wrong.
    """
    if line.lstrip().startswith("#"):
        return None
    words = words_of(line)
    if not words:
        return None
    first = words[0]
    if first.text in names.hosts:
        return _program(line, words, names)
    if first.text in COMMANDS:
        return COMMANDS[first.text](line, words, names)
    known = (*COMMANDS, *names.hosts)
    near = did_you_mean(first.text, known)
    raise fault(line, first.start, first.end, f"no command and no host{near or _listed(known)}")


def _listed(known: Sequence[str]) -> str:
    return f"; there are {', '.join(known)}"


def _program(line: str, words: Sequence[LineWord], names: Names) -> RunProgram:
    host, *words = words
    is_job = bool(words) and words[-1] == LineWord("&", words[-1].start, True)
    if is_job:
        words.pop()
    if not words:
        raise fault(line, host.start, host.end, f"what shall {host.text} run? {host.text} COMMAND")
    text = line[words[0].start : words[-1].end]
    replaced = _replaced(line, words, names)
    argv = (SHELL, "-c", replaced) if needs_shell(words) else tuple(shlex.split(replaced))
    return RunProgram(host.text, argv, text, is_job)


def _replaced(line: str, words: Sequence[LineWord], names: Names) -> str:
    """The command with addresses in the place of hosts' names: of whole words, and in braces."""
    parts: list[str] = []
    place = words[0].start
    for number, word in enumerate(words):
        parts.append(line[place : word.start])
        text = names.addresses.get(word.text, word.text) if number else word.text
        parts.append(_BRACE.sub(lambda match: names.values.get(match[1], match[0]), text))
        place = word.end
    return "".join(parts)


def _alone(command: Command) -> Callable[[str, Sequence[LineWord], Names], Command]:
    """What takes a command that no word follows."""

    def take(line: str, words: Sequence[LineWord], _: Names) -> Command:
        if len(words) > 1:
            raise fault(line, words[1].start, words[-1].end, f"{words[0].text} takes nothing more")
        return command

    return take


def _end_job(line: str, words: Sequence[LineWord], _: Names) -> EndJob:
    match = _JOB.fullmatch(words[1].text) if len(words) == 2 else None
    if match is None:
        start = words[1].start if len(words) > 1 else words[0].end
        raise fault(
            line, start, max(words[-1].end, start), "kill takes one job's number, as jobs has it"
        )
    return EndJob(int(match[1]))


def _wire(line: str, words: Sequence[LineWord], names: Names) -> Command:
    """`wire`, `wire client>server drop SYN`, `wire client-server off`."""
    if len(words) == 1:
        return ShowRules()
    text = line[words[1].start :].rstrip()
    way, _, rest = text.partition(" ")
    if rest.strip() == "off":
        _check_rule(line, words[1].start, f"{way} drop", names)
        return EndRulesOf(way)
    _check_rule(line, words[1].start, text, names)
    return SetRule(text)


def _link(line: str, words: Sequence[LineWord], names: Names) -> Command:
    """`link h1-s1 down`, or as in Mininet `link h1 s1 down`."""
    way = "-".join(word.text for word in words[1:-1])
    if not 3 <= len(words) <= 4 or words[-1].text not in ("down", "up"):
        start = words[1].start if len(words) > 1 else words[0].end
        raise fault(line, start, max(words[-1].end, start), "link takes two hosts, and down or up")
    _check_link(line, words[1].start, words[-2].end, way, names)
    return SetRule(f"{way} {words[-1].text}")


def _check_rule(line: str, start: int, text: str, names: Names) -> None:
    """Raise PointedError, which shows the word of the line, if it is no rule for these links."""
    try:
        bound((text,), names.links)
    except PointedError as error:
        end = min(start + error.end, len(line))
        raise fault(line, min(start + error.start, end), end, error.args[1]) from None


def _check_link(line: str, start: int, end: int, way: str, names: Names) -> None:
    try:
        bound((f"{way} down",), names.links)
    except PointedError as error:
        raise fault(line, start, end, error.args[1]) from None


COMMANDS: Mapping[str, Callable[[str, Sequence[LineWord], Names], Command]] = MappingProxyType({
    "hosts": _alone(ShowHosts()),
    "links": _alone(ShowLinks()),
    "jobs": _alone(ShowJobs()),
    "kill": _end_job,
    "wire": _wire,
    "link": _link,
    "ladder": _alone(ShowLadder()),
    "pingall": _alone(PingAll()),
    "help": _alone(ShowHelp()),
    "quit": _alone(Quit()),
    # As Mininet has them.
    "exit": _alone(Quit()),
    "nodes": _alone(ShowHosts()),
    "net": _alone(ShowLinks()),
})  # fmt: skip
"""By its name, what takes a command's words."""
