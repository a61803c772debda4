from __future__ import annotations

from dataclasses import replace

from lab.records import Disturbance


def test_a_disturbance_names_the_program_or_those_that_may_have_done_it() -> None:
    one = Disturbance("step", ("server",), "it is down")
    assert str(one) == "program server disturbed the run: it is down"
    three = replace(one, programs=("a", "b", "c"))
    assert str(three) == "one of the programs a, b and c disturbed the run: it is down"
