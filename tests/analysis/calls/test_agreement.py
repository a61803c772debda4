"""Printed calls joined with traced ones: by name, descriptor, result and bytes, in order."""

from __future__ import annotations

from dataclasses import replace

import step_edits as s
from event_ids import event

from lab.analysis.assembly import build_timelines
from lab.analysis.calls.agreement import Agreement, compare
from lab.analysis.calls.system_call import SystemCall
from lab.analysis.calls.transcript import PrintedCall, parse_transcript
from lab.analysis.timeline import Timeline


def timeline() -> Timeline:
    return build_timelines(s.recording_of("traced-tcp4"))[0]


def printed(text: str) -> tuple[PrintedCall, ...]:
    """What the client would have printed."""
    client = next(run for run in timeline().programs if run.name == "client")
    return parse_transcript(replace(client, stdout=text))


def traced() -> list[SystemCall]:
    return [call for call in timeline().system_calls if call.program == "client"]


def agreed(text: str) -> Agreement:
    return compare("client", printed(text), traced())


def test_a_recorded_run_agrees_with_what_its_programs_printed() -> None:
    for agreement in timeline().agreements.values():
        assert agreement.is_whole
        assert [p.name for p, _ in agreement.pairs[:1]] == ["socket"]
        for call, seen in agreement.pairs:
            assert (call.result, call.error) == (seen.result, seen.error)


def test_a_program_may_print_less_than_it_does_but_not_one_of_several_alike() -> None:
    alone = agreed("connect(3, ('198.51.100.2', 4242)) = 0\n")
    assert (alone.untraced, alone.unprinted) == ((), ())
    first = agreed("send(3, b'Hello. ') = 7\n")
    assert [call.id for call in first.unprinted] == [event("client#4"), event("client#5")]
    assert not first.is_whole
    assert first.why_unprinted().startswith("client did not print sendto(3, 'These are three")


def test_what_was_not_traced_is_named_with_the_call_in_its_place() -> None:
    other = agreed("send(3, b'Hello. ') = 7\nsend(3, b'These are') = 25\nclose(3) = 0\n")
    ((call, instead),) = other.untraced
    assert (call.result, instead and instead.id) == (25, event("client#4"))
    assert other.prints_its_calls
    assert other.why_untraced() == (
        "client printed send(3, b'These are') = 25, and no such call was traced: one of the two "
        "is wrong"
    )


def test_a_call_on_another_descriptor_is_another_call() -> None:
    other = agreed("close(4) = 0\n")
    assert [instead for _, instead in other.untraced] == [None]


def test_lines_that_only_look_like_calls_make_no_witness() -> None:
    other = agreed("send(8, b'x') = 1\nunlink('/tmp/a') = 0\n")
    assert [call.name for call, _ in other.untraced] == ["send"]
    assert not other.prints_its_calls


def test_nothing_printed_contradicts_nothing() -> None:
    none = agreed("")
    assert (none.pairs, none.untraced, none.unprinted) == ((), (), ())
