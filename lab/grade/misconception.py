"""What beginners typically get wrong, and how that is seen from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lab.errors import UsageError
from lab.frozen import frozen
from lab.grade.trial import NAME, Trial, trials_of


@frozen
class Misconception:
    """One of them. Raises UsageError where it makes no sense."""

    name: str
    """ "one-recv-a-message": small letters, digits and hyphens."""
    hint: str
    """What a student reads in whose trials it shows, and who fails a check that it explains."""
    shows: Callable[..., bool | str]
    """Given a Seen for each of its trials: whether it shows, or in words what shows it."""
    of: Trial | Sequence[Trial]
    """The trials that it shows in."""
    explains: tuple[str, ...]
    """The names of the checks that fail by it."""
    instead_of: tuple[str, ...] = ()
    """The names of misconceptions that are not named beside it."""
    source: str = ""
    """Where to read on: "recv(2)"."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise UsageError(
                f"a misconception is called {self.name!r}: its name has small letters, digits and "
                "hyphens"
            )
        what = f"the misconception {self.name!r}"
        if not isinstance(self.hint, str) or not self.hint.strip():
            raise UsageError(f"{what} has no hint, which is what students get of it")
        if not callable(self.shows):
            raise UsageError(f"{what} has shows={self.shows!r}, which is no function")
        for which, names in (("explains", self.explains), ("instead_of", self.instead_of)):
            if isinstance(names, str):
                raise UsageError(f"{what} has {which}={names!r}: give names in a tuple")
        if not trials_of(what, self.of):
            raise UsageError(f"{what} has no trial that it could show in")
        if not self.explains:
            raise UsageError(f"{what} explains no check, so nobody would be told of it")

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that it shows in."""
        return trials_of("", self.of)
