from __future__ import annotations

from pathlib import Path

import pytest
from sweep_rows import wanted_runs

from lab.errors import UsageError
from lab.sweep.order import RunOrder, ScenarioFile, digest_of, order_of_json


def test_an_order_is_the_same_behind_json() -> None:
    for wanted in wanted_runs("loss=0,5", "congestion=reno", "family=6"):
        order = RunOrder(wanted, ScenarioFile("/x/é.py", "ab"), ("BROKEN",), "/out/kept")
        again = order_of_json(order.as_json())
        assert again == order
        assert again.wanted.key == wanted.key
        assert order_of_json(order.as_json().encode()) == order


def test_a_digest_tells_files_apart(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).write_text(text)
    one, same, other = (digest_of(tmp_path / name) for name in "abc")
    assert one == same != other
    with pytest.raises(UsageError, match="cannot read"):
        digest_of(tmp_path / "none")
