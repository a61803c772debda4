"""Results to report on: a judged recording, with verdicts put in the place of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import recorded as r

from lab.model.claim import Verdict
from lab.results import Result
from scenarios.tcp import SCENARIO


def result_with(verdicts: dict[str, Verdict], failure: str = "", family: int = 4) -> Result:
    """The recorded run of tcp over IPv4 or IPv6, with these verdicts, and perhaps a failed program.

    It has no trace, and of its claims those that need none.
    """
    recording = r.recorded(family)
    if failure:
        server, client = recording.programs
        recording = replace(recording, programs=(server, replace(client, failure=failure)))
    timelines, judgements = r.judged(recording, r.CLAIMS)
    changed = tuple(
        replace(each, verdict=verdicts.get(each.claim.id, each.verdict)) for each in judgements
    )
    title = f"tcp over IPv{family}: a stream"
    return Result(timelines, changed, "tcp", title, SCENARIO, Path("runs/x"))
