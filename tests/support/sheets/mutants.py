"""Programs that are right but for one mistake: a right one with a few of its lines changed.

They are written down in files, SHEET.mutants:

    == MISCONCEPTION[/VARIANT] FILE
     a line of the right program, which says where
    -a line of it that is left out
    +a line that is put there
    ...
    -another place

A blank line ends one. The lines of a place, those put in apart, stand in the file once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
HERE = "tests/support/sheets"

RIGHT = {
    "tcp_echo": (
        "sheets/solutions/tcp_echo/right.py",
        "sheets/solutions/tcp_echo/right.c",
        f"{HERE}/right/echo_asyncio.py",
        f"{HERE}/right/echo_classes.py",
        f"{HERE}/right/echo_epoll.c",
        f"{HERE}/right/echo_forks.c",
        f"{HERE}/right/echo_poll.py",
        f"{HERE}/right/echo_selectors.py",
    ),
    "udp_transfer": (
        "sheets/solutions/udp_transfer/right.py",
        "sheets/solutions/udp_transfer/right.c",
        f"{HERE}/right/transfer_connected.py",
    ),
}
"""By sheet, programs that are right, of several kinds: no hint is to be given to any."""

_NEXT = "..."


@dataclass(frozen=True)
class Mutant:
    """A right program with a beginner's mistake in it."""

    misconception: str
    """The one that a sheet is to name."""
    variant: str
    """What tells it from others of the same misconception, or ""."""
    base: str
    """The file of the right program."""
    places: tuple[tuple[str, ...], ...]
    """The lines of each place, with their marks."""

    def __str__(self) -> str:
        """ "short-send", or "short-send/python" where it is a variant."""
        return f"{self.misconception}/{self.variant}" if self.variant else self.misconception

    @property
    def end(self) -> str:
        """Of its file's name: ".py" or ".c"."""
        return Path(self.base).suffix

    def text(self) -> str:
        """The program. Raises ValueError where a place is not to be found once."""
        lines = (ROOT / self.base).read_text("utf-8").splitlines()
        for place in self.places:
            old = [line[1:] for line in place if line[0] in " -"]
            new = [line[1:] for line in place if line[0] in " +"]
            at = [n for n in range(len(lines)) if old and lines[n : n + len(old)] == old]
            if len(at) != 1:
                raise ValueError(f"{self}: {old} stands in {self.base} {len(at)} times")
            lines[at[0] : at[0] + len(old)] = new
        return "\n".join(lines) + "\n"


def mutants_of(sheet: str) -> tuple[Mutant, ...]:
    """Those of a sheet, in their order."""
    text = (ROOT / HERE / f"{sheet}.mutants").read_text("utf-8")
    return tuple(_read(each.splitlines()) for each in re.split(r"\n*^== ", text, flags=re.M)[1:])


def solutions_of(sheet: str) -> dict[str, str]:
    """By file, the solutions that come with a sheet, and what is wrong with each, or ""."""
    files = sorted((ROOT / "sheets/solutions" / sheet).iterdir())
    return {str(file.relative_to(ROOT)): WRONG[sheet].get(file.stem, "") for file in files}


WRONG = {
    "tcp_echo": {
        "wrong_one_recv": "one-recv-one-message",
        "wrong_one_at_a_time": "one-client-at-a-time",
        "wrong_text": "text-not-bytes",
        "wrong_host_order": "port-in-host-order",
        "wrong_short_send": "short-send",
    },
    "udp_transfer": {
        "wrong_no_timeout": "trusts-that-datagrams-arrive",
        "wrong_fixed_port": "answers-to-a-fixed-port",
        "wrong_writes_duplicates": "writes-duplicates",
        "wrong_host_order": "host-byte-order",
        "wrong_leaves": "leaves-with-the-last",
    },
}
"""By sheet and the names of the files of its wrong solutions, what is wrong with them."""


def _read(lines: Sequence[str]) -> Mutant:
    name, base = lines[0].split()
    misconception, _, variant = name.partition("/")
    return Mutant(misconception, variant, base, tuple(_places(lines[1:])))


def _places(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    place: list[str] = []
    for line in lines:
        if line == _NEXT:
            yield tuple(place)
            place = []
        elif line:
            place.append(line)
    yield tuple(place)
