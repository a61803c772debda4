from __future__ import annotations

import pytest
import recorded as r
from expected import as_it_was, verdict

from lab.expect import frames
from lab.expect.expectation import Expectation
from lab.expect.frames import Among
from lab.expect.patterns import ICMP, TCP, UDP, AnyFrame
from lab.expect.subject import subject_of_file
from lab.model.claim import Outcome

ALL = Among()
HOLDS, BROKEN, UNDECIDED = Outcome.HOLDS, Outcome.BROKEN, Outcome.UNDECIDED


def there(*patterns: AnyFrame, among: Among = ALL, none_else: bool = False) -> Expectation:
    return frames.are_there(among, patterns, in_any=False, none_else=none_else)


@pytest.mark.parametrize(
    ("expectation", "name"),
    [
        (there(TCP(flags="SYN"), TCP(flags="FIN")), "tcp4"),
        (there(ICMP(type=3, code=3)), "udp4"),
        (there(UDP(dport=4242), among=Among(src="client")), "udp4"),
        (frames.are_counted(Among(on="lo"), 0, 0), "tcp4"),
        (frames.are_counted(Among(src="server", on="server/eth0"), 1, None), "tcp4"),
        (frames.are_counted(Among(), 20, 20), "tcp4"),
        (frames.no_clear_text("password"), "tcp4"),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_frames_are_as_expected(expectation: Expectation, name: str) -> None:
    found = verdict(expectation, name)
    assert found.outcome is HOLDS, found


@pytest.mark.parametrize(
    ("expectation", "name", "edit"),
    [
        (there(TCP(flags="FIN"), TCP(flags="SYN")), "tcp4", as_it_was),
        (there(TCP(), none_else=True), "tcp4", as_it_was),
        (frames.are_counted(Among(on="eth0"), 0, 0), "tcp4", as_it_was),
        (frames.are_counted(Among(), 21, None), "tcp4", as_it_was),
        (frames.are_counted(Among(), 0, 3), "tcp4", as_it_was),
        (frames.silent(), "tcp4", as_it_was),
        (frames.no_clear_text("Hello"), "tcp4", as_it_was),
        (frames.no_clear_text(b"Hello"), "udp4", as_it_was),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_what_is_otherwise_is_broken(expectation: Expectation, name: str, edit: r.Edit) -> None:
    found = verdict(expectation, name, edit)
    assert found.outcome is BROKEN, found
    assert found.compared
    assert found.evidence


def test_a_secret_that_two_segments_share_is_found() -> None:
    # The first segment ends with "Hello. ", the second begins with "These".
    assert verdict(frames.no_clear_text(b"lo. These"), "tcp4").outcome is BROKEN


def test_gaps_and_nothing_to_look_at_decide_nothing() -> None:
    for expectation in (frames.silent(), frames.no_clear_text("x"), there(TCP())):
        assert verdict(expectation, "tcp4", r.incomplete).outcome is UNDECIDED
    nothing = verdict(frames.no_clear_text("x"), "traced-unix4", step="conversation")
    assert nothing.outcome is UNDECIDED


def test_a_step_without_frames_is_silent() -> None:
    assert verdict(frames.silent(), "traced-unix4", step="conversation").outcome is HOLDS
    assert verdict(frames.silent(), "traced-unix4").outcome is BROKEN
    gaps = verdict(frames.silent(), "traced-unix4", r.incomplete, "conversation")
    assert gaps.outcome is UNDECIDED


def test_of_a_file_silence_is_never_proven() -> None:
    empty = subject_of_file((), (), (), "")
    assert frames.silent().found([empty]).outcome is UNDECIDED
    assert frames.are_counted(Among(), 0, 0).found([empty]).outcome is HOLDS


def test_sentences_say_which_frames_are_meant() -> None:
    among = Among(src="client", dst="server", on="lo")
    assert frames.are_counted(among, 0, 0).sentence == (
        "There is no frame from client to server on lo."
    )
    assert frames.are_counted(Among(), 2, 2).sentence == "There are 2 frames."
    assert frames.are_counted(Among(on="lo"), 0, 0).name == "nothing-on:lo"
