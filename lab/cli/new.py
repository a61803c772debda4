"""`wirelab new`: a scenario to begin with."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Write the scenario, and print its files and how it is run."""
    from shlex import quote

    from lab.cli.results import command_as_typed
    from lab.new_scenario import write_scenario

    for file in write_scenario(options.name, options.scenarios):
        print(file)
    folder = f" --scenarios {quote(options.scenarios)}" if options.scenarios else ""
    print(f"run it: {command_as_typed()} run {options.name}{folder}")
    return 0
