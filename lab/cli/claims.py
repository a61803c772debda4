"""`wirelab claims`: the statements, and the claims that decide them."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Print each statement, what is precisely true of it, and the claims that decide it."""
    from lab.model.statements import STATEMENTS
    from lab.scenario_files import builtin_scenarios, load_scenario

    scenarios = [load_scenario(path) for path in builtin_scenarios().values()]
    for statement in STATEMENTS:
        print(f"{statement.id:<4}{statement.text}")
        print(f"    precisely: {statement.precisely}")
        for scenario in scenarios:
            for claim in scenario.claims:
                if statement.id in claim.statements:
                    print(f"    {scenario.name}: {claim.id} ({claim.source})")
    return 0
