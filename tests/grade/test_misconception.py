from __future__ import annotations

from typing import Any

import pytest
from tried import LOOPBACK, is_refused, one_client

from lab.errors import UsageError
from lab.grade.misconception import Misconception

RIGHT: dict[str, Any] = {
    "name": "a", "hint": "Do.", "shows": is_refused, "of": one_client, "explains": ("echo",),
}  # fmt: skip


def test_one_names_its_trials() -> None:
    assert LOOPBACK.trials == (one_client,)
    assert Misconception(**RIGHT).trials == (one_client,)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "A b"}, "small letters"),
        ({"hint": " "}, "no hint"),
        ({"shows": "x"}, "no function"),
        ({"explains": "echo"}, "give names in a tuple"),
        ({"instead_of": "b"}, "give names in a tuple"),
        ({"of": ()}, "no trial"),
        ({"explains": ()}, "explains no check"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Misconception(**{**RIGHT, **options})
