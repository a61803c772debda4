"""The format of a tracepoint's records: their fields, and names for the fields' values.

Pure: text of a `format` file in, layouts out. Offsets and sizes are this kernel's own.
Source: Documentation/trace/events.rst, "Event formats".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from lab.errors import InstrumentError
from lab.frozen import frozen

Value = int | str | bytes

_FIELD = re.compile(
    r"\tfield:(?P<declaration>[^;]+);\toffset:(?P<offset>\d+);\tsize:(?P<size>\d+);"
    r"(?:\tsigned:(?P<signed>\d+);)?\n"
)
_SYMBOLIC = re.compile(r"__print_symbolic\(REC->(\w+), ((?:\{[^}]*\}(?:, )?)+)\)")
_SYMBOL = re.compile(r"\{ *(-?\w+), \"([^\"]*)\" *\}")
_NUMBERS = {1: "b", 2: "h", 4: "i", 8: "q"}
_TEXTS = ("char", "const char")


@frozen
class Field:
    """One field of a record."""

    name: str
    type: str
    """As C declares it, without the length of an array: "__u8[]", "__data_loc char[]"."""
    offset: int
    size: int
    """In bytes; 0 if it is the rest of the record."""
    signed: bool

    @property
    def is_array(self) -> bool:
        """Whether it has several items."""
        return self.type.endswith("[]")

    @property
    def code(self) -> str:
        """Its format for the struct module."""
        if self.type.startswith(("__data_loc ", "__rel_loc ")):
            return "I"
        if self.is_array or self.size not in _NUMBERS:
            return f"{self.size}s"
        code = _NUMBERS[self.size]
        return code if self.signed and not self.type.endswith("*") else code.upper()


@frozen
class EventFormat:
    """The format of one tracepoint's records."""

    name: str
    """With its subsystem: "sock:inet_sock_set_state"."""
    id: int
    fields: tuple[Field, ...]
    """Those common to all tracepoints first."""
    symbols: Mapping[str, Mapping[int, str]]
    """By field: the names that the kernel prints for its values."""

    def field(self, name: str) -> Field:
        """The field of that name. Raises InstrumentError if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise InstrumentError(
            f"the kernel's {self.name} has no field {name!r}; it has "
            + ", ".join(field.name for field in self.fields)
        )

    def has(self, name: str) -> bool:
        """Whether it has a field of that name."""
        return any(field.name == name for field in self.fields)

    def unpacker(self, names: Sequence[str]) -> Callable[[bytes], tuple[Any, ...]]:
        """A function from a record to the values of these fields, in their order, unconverted.

        It raises struct.error if the record is too short.
        """
        fields = [self.field(name) for name in names]
        places = sorted(range(len(fields)), key=lambda place: fields[place].offset)
        layout, position = "=", 0
        for field in (fields[place] for place in places):
            layout += f"{field.offset - position}x{field.code}"
            position = field.offset + field.size
        unpack = struct.Struct(layout).unpack_from
        if places == sorted(places):
            return unpack
        order = [places.index(place) for place in range(len(places))]
        return lambda record: tuple(map(unpack(record).__getitem__, order))

    def reader(self, names: Sequence[str]) -> Callable[[bytes], dict[str, Value]]:
        """A function from a record to the value of each of these fields.

        Arrays of char become text, other arrays bytes; dynamic arrays are followed. A value for
        which the kernel prints a name becomes that name. It raises InstrumentError if the
        record is too short.
        """
        unpack = self.unpacker(names)
        finish = [(name, _finisher(self.field(name), self.symbols.get(name))) for name in names]

        def read(record: bytes) -> dict[str, Value]:
            try:
                values = unpack(record)
            except struct.error:
                raise InstrumentError(f"{self.name}: a record of {len(record)} bytes") from None
            return {
                name: value if end is None else end(record, value)
                for (name, end), value in zip(finish, values, strict=True)
            }

        return read


class Formats:
    """The formats of all tracepoints in a trace; each is parsed when it is first needed."""

    def __init__(self, texts: Mapping[int, tuple[str, str]]) -> None:
        """`texts` has by ID each tracepoint's subsystem and the text of its format file."""
        self._texts = texts
        self._parsed: dict[int, EventFormat] = {}
        # This field is the same in every format.
        self._type = parse_format(*next(iter(texts.values()))).unpacker(["common_type"])

    def get(self, number: int) -> EventFormat | None:
        """The format with that ID, or None if there is none. Raises InstrumentError."""
        if number not in self._parsed:
            if number not in self._texts:
                return None
            self._parsed[number] = parse_format(*self._texts[number])
        return self._parsed[number]

    def named(self, name: str) -> EventFormat:
        """The format of the tracepoint "SUBSYSTEM:NAME". Raises InstrumentError if unknown."""
        system, _, event = name.partition(":")
        for number, (subsystem, text) in self._texts.items():
            if subsystem == system and re.search(rf"^name: {event}$", text, re.M):
                found = self.get(number)
                assert found is not None
                return found
        raise InstrumentError(f"there is no tracepoint {name} in the trace")

    def numbers(self, names: Collection[str]) -> frozenset[int]:
        """Those of the tracepoints of these names that the kernel has."""
        found = set()
        for number, (system, _) in self._texts.items():
            # Most tracepoints are of another subsystem, and are not parsed for this.
            if any(name.startswith(f"{system}:") for name in names):
                format_ = self.get(number)
                if format_ is not None and format_.name in names:
                    found.add(number)
        return frozenset(found)

    def type_of(self, record: bytes) -> int:
        """The ID of a record's format, from a field that all formats have.

        Raises InstrumentError if the record is too short to have it.
        """
        try:
            return int(self._type(record)[0])
        except struct.error:
            raise InstrumentError(f"a record of {len(record)} bytes in the trace") from None


Finisher = Callable[[bytes, Value], Value]


def _finisher(field: Field, symbols: Mapping[int, str] | None) -> Finisher | None:
    """A function from the unpacked value to the field's value, or None if both are the same."""
    if symbols:
        return lambda _, value: symbols.get(value, value) if isinstance(value, int) else value
    kind, _, item = field.type.rpartition(" ")
    is_text = field.type.removesuffix("[]").endswith(_TEXTS)
    if kind.startswith(("__data_loc", "__rel_loc")):
        base = field.offset + field.size if kind.startswith("__rel_loc") else 0
        return lambda record, value: _dynamic(record, value, base, item == "char[]")
    if field.size == 0:
        return lambda record, _: _text(record[field.offset :], is_text)
    if field.is_array and is_text:
        return lambda _, value: _text(value, True)
    return None


def _dynamic(record: bytes, value: Value, base: int, is_text: bool) -> Value:
    """A dynamic array's value: `value` has its length in the upper 16 bits, then its offset."""
    assert isinstance(value, int)
    begin, length = base + (value & 0xFFFF), value >> 16
    data = record[begin : begin + length]
    if len(data) < length:
        raise InstrumentError(f"a record of {len(record)} bytes has a field up to {begin + length}")
    return _text(data, is_text)


def _text(value: Value, is_text: bool) -> Value:
    """The text up to its NUL; the value unchanged if it is no text."""
    if not is_text or not isinstance(value, bytes):
        return value
    return value.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def parse_format(system: str, text: str) -> EventFormat:
    """The format in a `format` file of a tracepoint of that subsystem. Raises InstrumentError."""
    name = re.search(r"^name: (\S+)$", text, re.M)
    number = re.search(r"^ID: (\d+)$", text, re.M)
    if name is None or number is None:
        raise InstrumentError(f"a format file of {system} without name or ID: {text[:80]!r}")
    symbols: dict[str, dict[int, str]] = {}
    for field, pairs in _SYMBOLIC.findall(text):
        symbols.setdefault(field, {}).update(_symbols(pairs))
    return EventFormat(f"{system}:{name[1]}", int(number[1]), parse_fields(text), symbols)


def parse_id(text: str) -> int:
    """The ID in a `format` file, with which the tracepoint's records begin."""
    number = re.search(r"^ID: (\d+)$", text, re.M)
    if number is None:
        raise InstrumentError(f"a format file without ID: {text[:80]!r}")
    return int(number[1])


def parse_fields(text: str) -> tuple[Field, ...]:
    """The fields in a `format` or `header_page` file. Raises InstrumentError if it has none."""
    fields = tuple(
        _field(found["declaration"], int(found["offset"]), int(found["size"]), found["signed"])
        for found in _FIELD.finditer(text)
    )
    if not fields:
        raise InstrumentError(f"a format file without fields: {text[:80]!r}")
    return fields


def _field(declaration: str, offset: int, size: int, signed: str | None) -> Field:
    """A field by its declaration. "__u8 saddr[4]" and "__data_loc char[] name" are arrays."""
    kind, _, name = declaration.rpartition(" ")
    name, bracket, _ = name.partition("[")
    # Kernels that do not say "signed" imply it by the type, as in C, except that char is unsigned.
    is_signed = signed == "1" if signed else not kind.startswith(("u", "__u", "char"))
    return Field(name, f"{kind}[]" if bracket else kind, offset, size, is_signed)


def _symbols(pairs: str) -> dict[int, str]:
    """Names by value. Values that the file gives as an enumerator's name are left out."""
    return {
        int(value, 0): name
        for value, name in _SYMBOL.findall(pairs)
        if value.lstrip("-")[:1].isdigit()
    }
