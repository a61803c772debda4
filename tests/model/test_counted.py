from __future__ import annotations

import pytest

from lab.model.counted import counted


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 reads"), (1, "1 read"), (2, "2 reads"), (-1, "-1 reads")]
)
def test_one_is_singular_and_every_other_number_plural(number: int, text: str) -> None:
    assert counted(number, "read") == text
