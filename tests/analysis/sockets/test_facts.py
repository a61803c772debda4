from __future__ import annotations

import pytest
from shown import address

from lab.analysis.sockets.facts import takes


@pytest.mark.parametrize(
    ("bound", "came_to", "expected"),
    [
        ("", "10.0.0.2:80", True),
        ("10.0.0.2:80", "10.0.0.2:80", True),
        ("10.0.0.2:80", "10.0.0.1:80", False),
        ("0.0.0.0:80", "10.0.0.2:80", True),
        ("0.0.0.0:80", "10.0.0.2:81", False),
        ("0.0.0.0:80", "[fd00::2]:80", False),
        ("[::]:80", "[fd00::2]:80", True),
        ("[::]:80", "10.0.0.2:80", True),
        ("[::]:80", "", False),
        ("/run/x", "/run/x", True),
        ("/run/x", "@/run/x", False),
        ("/run/x", "10.0.0.2:80", False),
    ],
)
def test_a_bound_socket_takes_what_comes_to_its_address(
    bound: str, came_to: str, expected: bool
) -> None:
    assert takes(address(bound), address(came_to)) is expected
