"""The tables of NATs, that were not read, not to their end, or hold another connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.records import Recording
from tests.blind.disturbance import Disturbed, Manner, Name, falsified


def disturbed(recording: Recording) -> Iterator[Disturbed]:
    """All of them, half of them, and one field at a time."""
    table = recording.translations
    gone = replace(recording, translations=())
    yield Disturbed(Name.CONNTRACK, Manner.GONE, "not read", gone)
    half = replace(recording, translations=table[: len(table) // 2])
    yield Disturbed(Name.CONNTRACK, Manner.CUT, "half of the connections", half)
    for place, each in enumerate(table):
        for field, other in falsified(each):
            others = (*table[:place], other, *table[place + 1 :])
            what = f"{each.source}:{each.source_port} at {each.host}: {field}"
            changed = replace(recording, translations=others)
            yield Disturbed(Name.CONNTRACK, Manner.FALSE, what, changed)
