"""How many examples a property is tried with: a tenth while one works, all of them in CI.

`pytest --hypothesis-profile=full` tries them all, which `make test` and `make coverage` do.
Examples are drawn anew at each run, so that everyday runs try others each time.
"""

from __future__ import annotations

from hypothesis import settings

EVERYDAY, FULL = "everyday", "full"
FULL_EXAMPLES = 100
"""Of a property that does not say how many."""
SHARE = 10
FEWEST = 5
"""The first example is the simplest one, always."""


def register_profiles() -> None:
    """Register both profiles; the everyday one holds unless the command line names the other."""
    for name, examples in ((EVERYDAY, FULL_EXAMPLES // SHARE), (FULL, FULL_EXAMPLES)):
        # No database of examples: a test run leaves nothing behind, and under sudo nothing of
        # root's. No deadline for an example: how long one takes is the machine's affair.
        settings.register_profile(name, max_examples=examples, database=None, deadline=None)
    settings.load_profile(EVERYDAY)


def examples(full: int) -> settings:
    """A property is tried with `full` examples, or with the everyday share of them."""
    share = full * settings().max_examples // FULL_EXAMPLES
    return settings(max_examples=max(share, min(full, FEWEST)))
