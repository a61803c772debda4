"""`wirelab list`: a line for each scenario."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Print every scenario's name and summary; a line of stderr for one that cannot be loaded."""
    import sys

    from lab.errors import UsageError, terminal_text
    from lab.scenario_files import builtin_scenarios, load_scenario, own_scenarios

    status = 0
    own = [(name, path, f" ({path})") for name, path in own_scenarios(options.scenarios).items()]
    for name, path, place in (*((*each, "") for each in builtin_scenarios().items()), *own):
        try:
            print(f"{name:<12} {load_scenario(path).summary}{place}")
        except UsageError as error:
            print(f"wirelab: {terminal_text(error)}", file=sys.stderr)
            status = error.exit_status
    return status
