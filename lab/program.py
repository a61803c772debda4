"""A program to run on a host, as a plain value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.errors import UsageError

DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run on a host.

    In `argv`, `{python}` becomes this interpreter, `{demos}` the demos' folder, `{family}`
    4 or 6 and `{client}`, `{server}` and so on that host's address.
    """

    name: str
    host: str
    argv: tuple[str, ...]
    signals_ready: bool = False
    """Whether it writes to the descriptor named in READY_FD once it serves; the programs
    after it wait for that."""
    deadline_s: float = DEADLINE_S
    """Seconds from its start until it must have ended."""

    def expanded(self, words: Mapping[str, str]) -> Program:
        """The same program with its argv's `{words}` replaced.

        Raises UsageError for an unknown word.
        """
        try:
            argv = tuple(argument.format_map(words) for argument in self.argv)
        except (KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
            raise UsageError(f"program {self.name}: unknown word {error} in {self.argv}") from None
        return Program(self.name, self.host, argv, self.signals_ready, self.deadline_s)
