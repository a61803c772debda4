"""`wirelab completion`: what a shell completes words with.

The only file that imports argcomplete; it is itself imported only when a shell asks.
"""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Iterable

from argcomplete import autocomplete
from argcomplete.completers import BaseCompleter, DirectoriesCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

from lab.cli.words.options import COMMANDS, make_parser
from lab.scenario_files import builtin_scenarios, own_scenarios


def execute(options: Namespace) -> int:
    """Print what the shell is to evaluate; from then on it asks `wirelab`, see `complete`."""
    print(shellcode(["wirelab"], shell=options.shell))
    return 0


def complete() -> None:
    """Answer the shell that asks for completions, and exit."""
    autocomplete(make_parser(COMMANDS), always_complete_options=False, default_completer=_Words())


class _Words(BaseCompleter):
    """What may stand where the parser lists no choices: scenarios, folders, files."""

    def __call__(
        self, *, prefix: str, action: Action, parser: ArgumentParser, parsed_args: Namespace
    ) -> Iterable[str]:
        """Candidates for a word that begins with `prefix`."""
        if action.dest == "name":
            return ()  # a new one
        if action.dest == "names" and "/" not in prefix:
            return {*builtin_scenarios(), *own_scenarios(parsed_args.scenarios)}
        files = DirectoriesCompleter() if action.metavar == "DIR" else FilesCompleter()
        found: Iterable[str] = files(prefix)
        return found
