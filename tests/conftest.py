from __future__ import annotations

import pytest
from hypothesis import settings
from refusal import why_no_sandbox

pytest_plugins = ["fixtures"]

# No database of examples: a test run leaves nothing behind, and under sudo nothing of root's.
# No deadline for an example: how long one takes is the machine's affair.
settings.register_profile("wirelab", database=None, deadline=None)
settings.load_profile("wirelab")


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Here and not in a fixture, so that pytest reports one place, and all skips in one line.
    if item.get_closest_marker("kernel") and (refusal := why_no_sandbox()):
        pytest.skip(refusal)
