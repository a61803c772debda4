from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, replace
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab import records
from lab.recording.codec import RecordError, decode_record, encode_record, fields_of
from lab.records import (
    Canary,
    Direction,
    Frame,
    InterfaceSeen,
    KernelEvent,
    LinkType,
    Memory,
    Syscall,
    TaskEvent,
    Trace,
)

CLASSES = [each for each in vars(records).values() if hasattr(each, "__dataclass_fields__")]
CALL = Syscall("p", 1, 1, "read", (3, 2**64 - 1), (Memory(1, "", True, b"ab", 2),), 5, None, 2)
EVERY_JSON = [None, True, 0, -1, 2**64, 1.0, "x", [], {}, [None], {"x": None}]

_made: dict[type[Any], st.SearchStrategy[Any]] = {}
"""By a record's class its values: to make that takes longer than to draw one."""


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a record's field."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is int:
        return st.integers(-(2**63), 2**64 - 1)
    if hint in (str, bool, bytes, NoneType):
        return st.from_type(hint)
    if origin is Annotated:
        return st.integers(arguments[1][0], arguments[1][-1])
    if origin is Literal:
        return st.sampled_from(arguments)
    if hint == IPv4Interface | IPv6Interface:
        four = st.ip_addresses(v=4).map(lambda address: f"{address}/24")
        return (four | st.ip_addresses(v=6).map(str)).map(ip_interface)
    if origin is UnionType:
        return st.one_of(*map(values_of, arguments))
    if origin in (tuple, Sequence):
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(), values_of(arguments[1]), max_size=2)
    if issubclass(hint, enum.Enum):
        return st.sampled_from(hint)
    return records_of(hint)


def records_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    if kind not in _made:
        hints = get_type_hints(kind, include_extras=True)
        _made[kind] = st.builds(kind, *(values_of(hints[field.name]) for field in fields(kind)))
    return _made[kind]


def test_there_are_records_to_try() -> None:
    assert {Syscall, Frame, Trace, records.Recording} <= set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
@examples(15)
@given(st.data())
def test_a_record_comes_back_from_its_line(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(records_of(kind))
    line = json.dumps(encode_record(record))
    assert decode_record(kind, json.loads(line)) == record


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
@examples(5)
@given(st.data())
def test_a_mistyped_field_is_named(kind: type[Any], data: st.DataObject) -> None:
    line = encode_record(data.draw(records_of(kind)))
    for name in line:
        with pytest.raises(RecordError, match=f"^{name}: 1.5 is n"):
            decode_record(kind, json.loads(json.dumps(line | {name: 1.5})))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
@examples(5)
@given(st.data())
def test_an_absent_field_has_its_default_or_is_missed(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(records_of(kind))
    line = json.loads(json.dumps(encode_record(record)))
    for field in fields(kind):
        fewer = {key: value for key, value in line.items() if key != field.name}
        if field.default is MISSING:
            with pytest.raises(RecordError, match=f"^{field.name!r} is missing$"):
                decode_record(kind, fewer)
        else:
            assert decode_record(kind, fewer) == replace(record, **{field.name: field.default})
        with pytest.raises(RecordError, match=r"'colour'$|is missing$"):
            decode_record(kind, fewer | {"colour": 1})


def test_all_fields_with_a_default_may_be_absent_at_once() -> None:
    frame = Frame(1, "p", Direction.OUT, b"", 0)
    line = {"time_ns": 1, "point": "p", "direction": "out", "data": "", "wire_bytes": 0}
    assert decode_record(Frame, line) == frame
    assert frame.link_type is LinkType.ETHERNET
    assert decode_record(Trace, {}) == Trace()
    assert line.keys() == {"time_ns", "point", "direction", "data", "wire_bytes"}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
@examples(5)
@given(st.data())
def test_what_is_taken_for_a_field_is_one_of_its_values(
    kind: type[Any], data: st.DataObject
) -> None:
    line = json.loads(json.dumps(encode_record(data.draw(records_of(kind)))))
    for name in line:
        for value in EVERY_JSON:
            try:
                record = decode_record(kind, line | {name: value})
            except RecordError as error:
                assert error.path.startswith(name)
            else:
                again = json.loads(json.dumps(encode_record(record)))[name]
                if isinstance(getattr(record, name), Trace):
                    # Its fields all have defaults, so that {} is one.
                    assert (value, getattr(record, name)) == ({}, Trace())
                else:
                    assert (again, type(again)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "line", "said"),
    [
        (Memory, encode_record(CALL.memory[0]) | {"at_exit": 1}, "at_exit: 1 is not true or false"),
        (Memory, encode_record(CALL.memory[0]) | {"argument": True}, "argument: True is no int"),
        (Memory, encode_record(CALL.memory[0]) | {"argument": 2**64}, "argument: 1844"),
        (Memory, encode_record(CALL.memory[0]) | {"data": "abc"}, "data: 'abc': non-hexadecimal"),
        (Memory, encode_record(CALL.memory[0]) | {"colour": 1}, "there is no field 'colour'"),
        (Memory, [], "[] is no object"),
        (Memory, None, "None is no object"),
        (TaskEvent, encode_record(TaskEvent(1, "p", "exec", 1, 1)) | {"kind": "end"},
         "kind: 'end' is none of 'start', 'exec', 'exit'"),
        (Canary, encode_record(Canary("opening", "p", b"")) | {"bracket": []},
         "bracket: [] is none of 'opening', 'closing'"),
        (KernelEvent, encode_record(KernelEvent(1, "e", 1, {})) | {"fields": {"a": 1, "b": None}},
         "fields['b']: None is neither a number nor text"),
        (InterfaceSeen, {"host": "h", "name": "n", "addresses": ["10.0.0.1/24", "10.0.0.1/33"]},
         "addresses[1]: '10.0.0.1/33': "),
        *[(InterfaceSeen, {"host": "h", "name": "n", "addresses": [text]},
           f"addresses[0]: {text!r}: there is no prefix length")
          for text in ("10.0.0.1", "10.0.0.1/255.255.255.0", "10.0.0.1/024", "fe80::1")],
        *[(Memory, encode_record(CALL.memory[0]) | {"data": text},
           f"data: {text!r}: there is space between")
          for text in ("de ad", " dead", "dead\n", " ")],
        (InterfaceSeen, {"host": "h", "name": "n", "addresses": [167772161]},
         "addresses[0]: 167772161 is not text"),
        (Frame, encode_record(Frame(1, "p", Direction.OUT, b"", 0, LinkType.NULL))
         | {"link_type": True}, "link_type: True is none of 0, 1,"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(kind: type[Any], line: object, said: str) -> None:
    with pytest.raises(RecordError) as raised:
        decode_record(kind, line)
    assert str(raised.value).startswith(said)


def test_what_is_wrong_within_a_record_is_named_by_its_path() -> None:
    line = json.loads(json.dumps(encode_record(CALL)))
    assert decode_record(Syscall, line) == CALL
    line["arguments"][1] = -1
    with pytest.raises(RecordError, match=r"^arguments\[1\]: -1 is not between 0 and 1844674407"):
        decode_record(Syscall, line)
    line = json.loads(json.dumps(encode_record(CALL)))
    line["memory"][0]["data"] = None
    with pytest.raises(RecordError, match=r"^memory\[0\].data: None is not text"):
        decode_record(Syscall, line)
    del line["memory"][0]["data"]
    with pytest.raises(RecordError, match=r"^memory\[0\]: 'data' is missing"):
        decode_record(Syscall, line)


def test_some_fields_can_be_left_out() -> None:
    lists = frozenset({"syscalls", "tasks", "states", "drops", "events", "queues", "closings"})
    some = fields_of(Trace, lists)
    assert some.encode(Trace(lost=3)) == {"lost": 3}
    assert some.decode({"lost": 3}) == {"lost": 3}
    assert some.decode({}) == {"lost": 0}


def test_a_hint_without_json_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON for the type hint"):
        fields_of(WithSet)
    with pytest.raises(TypeError, match="one type in JSON"):
        fields_of(WithTexts)


@dataclass(frozen=True)
class WithSet:
    words: frozenset[str]


@dataclass(frozen=True)
class WithTexts:
    words: str | bytes
