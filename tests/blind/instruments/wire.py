"""What tells which frames the rules of a link's wire struck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lab.records import Recording, WireStrike
from tests.blind.disturbance import Disturbed, Name
from tests.blind.instruments.records import disturbed_records


def strikes(recording: Recording) -> Iterator[Disturbed]:
    """Strikes that were not reported, or reported otherwise."""

    def put(recording: Recording, strikes: Sequence[WireStrike]) -> Recording:
        return replace(recording, wire_strikes=tuple(strikes))

    return disturbed_records(Name.WIRE, recording, recording.wire_strikes, put)
