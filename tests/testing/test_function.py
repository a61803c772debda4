from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lab.errors import UsageError
from lab.records import ProgramRun
from lab.testing.function import END_OF_PATH, MARK, Called, FunctionFailed, words_of


def double(number: int) -> int:
    return number * 2


class Holder:
    def method(self) -> None: ...


def ended(stdout: str, failure: str = "", status: int = 0) -> ProgramRun:
    return ProgramRun("client", "client", (), 0, None, 1, status, stdout, "", failure=failure)


def told(kind: str, text: str) -> str:
    return f"it printed\n{MARK}{json.dumps({'kind': kind, 'text': text})}\n"


@pytest.mark.parametrize("value", [None, 7, "text", b"\xff\x1e", [1, (2, {"a": {3}})], 1.5])
def test_what_a_function_returned_comes_back(value: object) -> None:
    called = Called("client", double)
    assert called.ended(ended(told("returned", repr(value)))) == ""
    assert not called.is_read
    assert called.value == value
    assert called.is_read


def test_what_it_raised_is_raised_with_its_traceback() -> None:
    called = Called("client", double)
    assert called.ended(ended(told("raised", "Traceback …"), status=1)) == "Traceback …"
    with pytest.raises(FunctionFailed, match="Traceback"):
        _ = called.value


@pytest.mark.parametrize(
    ("stdout", "failure"),
    [("", "was killed by SIGKILL"), (f"{MARK}not json", "exited"), (f"{MARK}[1]", "exited")],
)
def test_a_function_that_did_not_come_to_its_end_has_no_value(stdout: str, failure: str) -> None:
    called = Called("client", double)
    assert called.ended(ended(stdout, failure, 1)) == ""
    with pytest.raises(FunctionFailed, match=failure):
        _ = called.value


def test_a_value_that_is_not_plain_and_one_too_early_are_refused() -> None:
    called = Called("client", double)
    with pytest.raises(UsageError, match="has not run yet"):
        _ = called.value
    called.ended(ended(told("returned", "<object object at 0x1>")))
    with pytest.raises(UsageError, match="no plain value"):
        _ = called.value


def test_a_function_is_called_by_its_file_and_name() -> None:
    words = words_of(double, [7, "{server}", b"x"])
    assert words[0] == "{python}"
    assert words[2:6] == (MARK, "0.0", __file__, "double")
    assert words_of(double, [7], 2.5)[3] == "2.5"
    assert words[-4:] == (END_OF_PATH, "value 7", "text {server}", "value b'x'")


@pytest.mark.parametrize("function", [lambda: None, Holder.method, Holder().method, len])
def test_what_cannot_be_imported_is_refused(function: Callable[..., object]) -> None:
    with pytest.raises(UsageError, match="top level of its file"):
        words_of(function, [])


def test_arguments_that_are_not_plain_are_refused() -> None:
    with pytest.raises(UsageError, match="no plain value"):
        words_of(double, [object()])
