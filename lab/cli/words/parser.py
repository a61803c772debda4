"""argparse's parser, which says what an unknown word may have been meant to be."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


# argparse asks gettext(3) for translations of its own words, which Python does not come with. To
# look for them takes an eighth of `--help`, and half a page in each language would be none's.
vars(argparse)["_"] = str


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """argparse's own at 80 columns: to ask for the terminal's it imports the archivers."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


class CommandParser(argparse.ArgumentParser):
    """argparse's, which says what an unknown word may have been meant to be."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  ArgumentParser's own
        super().__init__(**settings, formatter_class=HelpFormatter)

    def parse_known_args(
        self,
        args: Iterable[str] | None = None,
        namespace: Any = None,  # noqa: ANN401
    ) -> tuple[Any, list[str]]:
        """As argparse's; a word that is unknown is an error of this parser's command."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            from lab.errors import did_you_mean, printable

            word = unknown[0].partition("=")[0]
            known = self._option_string_actions if word.startswith("-") else ()
            self.error(f"unknown: {printable(' '.join(unknown))}{did_you_mean(word, known)}")
        return options, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401
        # argparse has no public place for it, nor for the options there are. What Python 3.14
        # suggests by itself, 3.11 does not.
        if action.choices is None or value in action.choices:
            return
        from lab.errors import did_you_mean

        known = [str(choice) for choice in action.choices]
        what = f"{value!r} is none of {', '.join(known)}"
        raise argparse.ArgumentError(action, what + did_you_mean(str(value), known))


def parser_of_command(*, add_help: bool, **settings: Any) -> CommandParser | None:  # noqa: ANN401
    """A command's parser; None, which argparse does not look at, without options, help included.

    To make one of each was a quarter of what `--help` costs.
    """
    return CommandParser(add_help=True, **settings) if add_help else None
