from __future__ import annotations

from argparse import Namespace

import pytest

from lab.cli.claims import execute
from lab.model.statements import STATEMENTS


def test_each_statement_stands_before_the_claims_that_decide_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert execute(Namespace()) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line.partition(" ")[0] for line in lines if not line.startswith(" ")]
    assert heads == [statement.id for statement in STATEMENTS]
    below = "\n".join(lines).split("\n    precisely: ")
    assert len(below) == len(STATEMENTS) + 1
    assert all(": " in part.partition("\n")[2] for part in below[1:])
    assert any("tcp: tcp-opens (RFC 9293, 3.5)" in line for line in lines)
