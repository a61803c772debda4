from __future__ import annotations

import warnings

import pytest
import recorded as r
from event_ids import event
from examples import examples
from hypothesis import example, given
from hypothesis import strategies as st

from lab.analysis.calls.transcript import PrintedCall, parse_transcript
from lab.records import ProgramRun


def calls(*lines: str) -> tuple[PrintedCall, ...]:
    text = "".join(line + "\n" for line in lines)
    return parse_transcript(ProgramRun("client", "h", (), 0, None, 0, 0, text, ""))


def only(line: str) -> PrintedCall:
    (call,) = calls(line)
    return call


def test_a_call_is_read_with_its_arguments_and_result() -> None:
    call = only("send(3, b'Hello. ') = 7")
    assert (call.name, call.arguments, call.result, call.error) == ("send", (3, b"Hello. "), 7, "")
    assert (call.id, call.text, call.data) == (event("client:1"), "send(3, b'Hello. ')", b"Hello. ")


def test_words_that_are_no_values_are_kept_as_words() -> None:
    assert only("socket(AF_INET, SOCK_STREAM) = 3").arguments == ("AF_INET", "SOCK_STREAM")
    assert only("socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC) = 3").arguments[1] == (
        "SOCK_STREAM | SOCK_CLOEXEC"
    )
    assert only("f(-1, 0x10, 'a', None, True) = 0").arguments == (-1, 16, "a", None, True)


def test_a_failed_call_has_its_errno() -> None:
    call = only("connect(3, ('198.51.100.2', 9)) = -1 ECONNREFUSED")
    assert (call.result, call.error) == (-1, "ECONNREFUSED")
    assert call.arguments == (3, ("198.51.100.2", 9))
    assert call.data == b""


def test_arguments_may_look_like_results_and_ends() -> None:
    call = only("send(3, b') = 4') = 5")
    assert (call.data, call.result) == (b") = 4", 5)


def test_calls_are_numbered_without_the_lines_that_are_none() -> None:
    told = calls("Traceback (most recent call last):", "close(3) = 0", "", "bye", "close(4) = 0")
    assert [(call.number, call.arguments) for call in told] == [(1, (3,)), (2, (4,))]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "send",
        "send(3) = ",
        "send(3) = x",
        "send(3) = 7bytes",
        "send(3) = 7.5",
        "send(3 = 7",
        "send(3)) = 7",
        "send(3), send(4) = 7",
        "send(data=b'x') = 1",
        "Send(3) = 7",
        " send(3) = 7",
        "send(0777) = 1",
        "send(\0) = 1",
        "send('\ud800') = 1",
        "send(1) = " + "9" * 5000,
        "send(" + "9" * 5000 + ") = 1",
        "send(" + "-" * 900 + "a) = 0",
        "send(" + "a." * 900 + "a) = 0",
        "send(" + "1+" * 900 + "1) = 0",
        "send(" + "a if b else " * 2000 + "c) = 0",
        "send(" + "(" * 5000 + ") = 0",
    ],
    ids=lambda line: line[:20].encode("unicode_escape").decode(),
)
def test_a_line_that_is_no_call_is_passed_over(line: str) -> None:
    assert calls(line) == ()


def test_reading_a_call_runs_none_of_it() -> None:
    call = only("send(__import__('os').abort(), [x for x in y]) = 0")
    assert call.arguments == ("__import__('os').abort()", "[x for x in y]")


def test_odd_escapes_cause_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert only(r"send(3, '\d') = 2").arguments == (3, r"\d")
        assert only("f(1if x else 2) = 0").arguments == ("1 if x else 2",)


def test_the_recorded_programs_are_read_to_the_last_line() -> None:
    for family in (4, 6):
        for run in r.recorded(family).programs:
            assert len(parse_transcript(run)) == len(run.stdout.splitlines())


@examples(80)
@given(st.text(max_size=60), st.integers(-1, 9))
@example("b'\\x", 1)
def test_no_argument_text_makes_reading_fail(text: str, result: int) -> None:
    for call in calls(f"send({text}) = {result}", text):
        assert call.id.program == "client"


@given(st.lists(st.binary(max_size=12) | st.integers() | st.text(max_size=5), max_size=4))
@examples(80)
def test_printed_values_are_read_back(values: list[object]) -> None:
    call = only(f"f({', '.join(map(ascii, values))}) = 0")
    assert call.arguments == tuple(values)


def test_an_argument_that_was_not_printed_is_empty() -> None:
    call = only("recvmsg() = 0")
    assert call.argument(0) == call.argument(-1) == ""
