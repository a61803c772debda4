"""The fixture itself, with no kernel: what it puts together and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.model.allowed import Cell
from lab.model.shapes import star
from lab.testing.bench import Bench, Settings


def ask(host: str) -> str:
    return host


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to run"):
        Bench(Path("x"), Settings()).run()


def test_programs_are_named_after_their_hosts_and_told_apart() -> None:
    bench = Bench(Path("x"), Settings())
    names = [bench.start("./server"), bench.start("./server"), bench.python(ask, "x").name]
    assert names == ["server", "server-2", "client"]
    assert bench.start("./proxy", on="client", name="proxy") == "proxy"


def test_a_program_in_a_cell_need_not_serve() -> None:
    bench = Bench(Path("x"), Settings())
    cell = Cell("/tmp/ann")
    bench.start("./echo {port}", cell=cell)
    bench.start("./ask {server} {port}", on="client", cell=cell, serves=False)
    (step,) = bench._put_together().steps
    assert [(it.cell, it.serves, it.listens is None) for it in step.programs] == [
        (cell, True, False),
        (cell, False, True),
    ]


def test_faults_are_on_the_only_link_or_on_one_that_is_named() -> None:
    bench = Bench(Path("x"), Settings())
    bench.wire.drop("SYN", nth=1)
    bench.topology(star(3))
    bench.wire.drop("SYN", on="h1>s1")
    with pytest.raises(UsageError, match="several links"):
        bench.wire.drop("SYN")


def test_a_host_that_there_is_not_is_refused_before_anything_runs() -> None:
    bench = Bench(Path("x"), Settings(topology="star:3"))
    bench.start("./server", on="h9")
    with pytest.raises(UsageError, match="h9"):
        bench.run()
    assert not bench.results
    assert not bench.has_expected
