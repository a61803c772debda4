from __future__ import annotations

from collections import Counter

import frame_bytes as fb
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from tabled import (
    any_conversations,
    check_alike,
    check_alike_with_notes,
    close_ups,
    framed,
    lossy_conversations,
    noted,
    notes_of,
    table_of,
)

from lab.analysis.table.notes import BIT_OF, NOTES
from lab.analysis.tcp.segment import Note
from tests.benchmarks.show_file import script

OF_SEVERAL_POINTS = {Note.LOST, Note.DUPLICATED, Note.DAMAGED, Note.CHANGED, Note.DROPPED}


def test_every_note_has_a_bit_of_its_own() -> None:
    assert len(set(BIT_OF.values())) == len(NOTES) == len(Note)
    assert [BIT_OF[note] for note in NOTES] == [1 << place for place in range(len(NOTES))]


def test_notes_are_those_of_single_flows_and_every_one_occurs() -> None:
    seen: Counter[Note] = Counter()
    alone = 0
    for seed in range(60):
        _, found = check_alike_with_notes(lossy_conversations(seed))
        alone += len(found.followed_alone)
        seen.update(note for notes in notes_of(found).values() for note in notes)
    assert alone == 0
    assert set(Note) - set(seen) <= OF_SEVERAL_POINTS | {Note.WRONG_CHECKSUM}


@examples(60)
@given(st.integers(0, 10**9))
def test_whatever_segments_come_notes_are_those_of_single_flows(seed: int) -> None:
    check_alike(any_conversations(seed))
    check_alike(lossy_conversations(seed, 60))


def test_a_flow_whose_numbers_are_none_is_followed_alone() -> None:
    seqs = (0, 19 * 2**30 // 10, 0, 2**32 - 15 * 2**30 // 10)
    frames = [framed(fb.ethernet(fb.ipv4(fb.tcp(b"x", seq=seq)))) for seq in seqs]
    frames += lossy_conversations(1, 20)
    found, _ = noted(table_of(frames), close_ups(frames)[1])
    assert found.followed_alone == [0]
    check_alike(frames)


def test_the_connections_that_benchmarks_are_made_of_have_losses_of_every_kind() -> None:
    lines = script(0)
    assert sum(bool(line.options) and not line.flags & 2 for line in lines) > 0
    assert len({line.time_us for line in lines}) > len(lines) // 2
