"""Runs the probe in a cell, beside programs that are in none; prints the program's record."""

from __future__ import annotations

import json
import sys

from lab.api import Cell, Family, Limits, Program, Scenario, Step, two_hosts
from lab.run import run_scenario

SERVE = """
import os, socket, sys
open('/tmp/of-the-neighbour', 'w').close()
listening = socket.create_server(('', 4242))
os.write(int(os.environ['READY_FD']), b'up')
while True:
    listening.accept()[0].close()
"""


def main(folder: str, limits: str, shows: list[str], out: str) -> None:
    serve = ("{python}", "-IS", "-c", SERVE)
    cell = Cell(folder, Limits(**json.loads(limits)), tuple(shows))
    step = Step(
        "only",
        (
            Program("server", "server", serve, signals_ready=True, serves=True),
            Program("it", "client", ("{python}", "-IS", "cell_probe.py", "given.json"), cell=cell),
        ),
    )
    scenario = Scenario("probe", "what a submission may do", two_hosts(), (step,), ())
    result = run_scenario(scenario, Family.IPV4, out, "none", source="-", pages=False)
    (it,) = (run for run in result.timelines[0].programs if run.name == "it")
    told = {"stdout": it.stdout, "stderr": it.stderr, "failure": it.failure}
    print(json.dumps(told | {"uid": it.cell.uid if it.cell else None}))


main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4])
