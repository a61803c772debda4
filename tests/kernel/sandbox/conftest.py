"""What sandboxes are is tested of those that any caller has."""

from __future__ import annotations

import pytest


@pytest.fixture
def forked_sandboxes() -> None:
    """None are: each is a fresh interpreter's."""
