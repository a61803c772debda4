"""Records as JSON values and back, by the fields and type hints of their dataclasses.

| hint | JSON |
|---|---|
| int | a number that fits into 64 bits, signed or not; Annotated[int, range(…)]: one of the range |
| str, bool | the same |
| Literal["a", "b"] | one of these texts |
| bytes | text: two hexadecimal digits for each, nothing between them |
| an enum | its member's value |
| IPv4Interface or IPv6Interface | text: "10.0.0.1/24", always with the prefix's length |
| X or Y, X or None | what the value's own type gives; None is null |
| tuple[X, ...], Sequence[X] | a list |
| dict[str, X] | an object |
| a dataclass | an object with every field by its name |

Decoding takes nothing for anything else: true is no number, 4.0 no integer; an object has no key
that is no field. A field may be absent where the dataclass has a default for it, and then has
that: this is how a record gains a field while the recordings made before go on loading. Encoding
leaves none out. What the hints of a class mean is found when the first of its records is encoded
or decoded, and kept.
"""

from __future__ import annotations

import enum
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from ipaddress import IPv4Interface, IPv6Interface
from operator import attrgetter, itemgetter
from reprlib import repr as short
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeVar, Union, get_args, get_origin

from lab.frozen import frozen


class Dataclass(Protocol):
    """An instance of any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Record = TypeVar("Record", bound=Dataclass)
Object = dict[str, Any]
"""A JSON object."""

_INTEGERS = range(-(1 << 63), 1 << 64)


class RecordError(ValueError):
    """A JSON value that is none of the record it is taken for."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.problem = problem
        self.path = path
        """Which part it is about: "memory[0].data"; "" for the whole."""

    def within(self, part: str) -> RecordError:
        """The same, of what holds the value as its part: a field's name, or "[0]"."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return RecordError(self.problem, part + joint + self.path)


@frozen
class _Codec:
    """How the values of one type hint become JSON, and JSON such values."""

    classes: tuple[type, ...]
    """Those of the values."""
    json: type
    """What json.loads gives for them."""
    encode: Callable[[Any], object] | None
    """None where json.dumps takes the values as they are."""
    decode: Callable[[Any], Any]
    """Raises RecordError. It may be given anything that json.loads returns."""
    plain: type | None = None
    """The type in JSON, where every value of that type is one of the hint's as it is."""


@frozen
class Fields:
    """Some fields of a dataclass, and how their values become JSON and are taken from it."""

    names: tuple[str, ...]
    encoders: tuple[tuple[str, Callable[[Any], object]], ...]
    """Those whose values are not JSON already."""
    decoders: tuple[Callable[[Any], object], ...]
    plain: tuple[type | None, ...]
    """As _Codec has it: so much quicker is a comparison than a decoder's call."""
    defaults: Object
    """By the names of the fields that may be absent: what is then taken for their JSON."""
    of_record: Callable[[Any], tuple[object, ...]]
    of_json: Callable[[Any], tuple[object, ...]]
    """Raises KeyError where a field is missing."""

    def encode(self, record: Dataclass) -> Object:
        """The record's fields as a JSON object."""
        found: Object = dict(zip(self.names, self.of_record(record), strict=True))
        for name, encode in self.encoders:
            found[name] = encode(found[name])
        return found

    def decode(self, value: object) -> Object:
        """The fields' values by their names.

        Raises RecordError where the value is no object of exactly these fields.
        """
        return dict(zip(self.names, self.decode_values(value), strict=True))

    def decode_values(self, value: object) -> list[Any]:
        """The same without the names, in the order of the fields."""
        if type(value) is not dict:
            raise RecordError(f"{short(value)} is no object")
        try:
            given = self.of_json(value)
        except KeyError:
            value = self._completed(value)
            given = self.of_json(value)
        if len(value) != len(given):
            unknown = ", ".join(repr(key) for key in value if key not in self.names)
            raise RecordError(f"there is no field {unknown}")
        try:
            wanted = zip(self.plain, self.decoders, given, strict=True)
            return [v if type(v) is plain else decode(v) for plain, decode, v in wanted]
        except RecordError:
            self._name_fault(value)
            raise

    def _completed(self, value: Object) -> Object:
        """The object with the fields that are absent. Raises RecordError where one may not be."""
        for name in self.names:
            if name not in value and name not in self.defaults:
                raise RecordError(f"{name!r} is missing")
        return self.defaults | value

    def _name_fault(self, value: Object) -> None:
        """Raise RecordError for the first field that cannot be decoded.

        Only where one cannot: to know the field at every moment would slow down all others.
        """
        for name, decode in zip(self.names, self.decoders, strict=True):
            try:
                decode(value[name])
            except RecordError as error:
                raise error.within(name) from None


def encode_record(record: Dataclass) -> Object:
    """A record, an instance of a dataclass, as a JSON object."""
    return fields_of(type(record)).encode(record)


def decode_record(kind: type[Record], value: object) -> Record:
    """The record of that class that was encoded as this value. Raises RecordError."""
    return kind(*fields_of(kind).decode_values(value))


@cache
def fields_of(kind: type[Dataclass], without: frozenset[str] = frozenset()) -> Fields:
    """The fields of a dataclass, except those in `without`.

    Raises TypeError where one has a hint that this module gives no JSON for.
    """
    hints = _hints(kind)
    wanted = [field for field in fields(kind) if field.name not in without]
    codecs = {field.name: _codec(hints[field.name]) for field in wanted}
    encoders = {name: codec.encode for name, codec in codecs.items() if codec.encode is not None}
    defaults = {field.name: field.default for field in wanted if field.default is not MISSING}
    names = tuple(codecs)
    return Fields(
        names,
        tuple(encoders.items()),
        tuple(codec.decode for codec in codecs.values()),
        tuple(codec.plain for codec in codecs.values()),
        {name: _as_read(value, encoders.get(name)) for name, value in defaults.items()},
        _getter(attrgetter, names),
        _getter(itemgetter, names),
    )


def _as_read(default: object, encode: Callable[[Any], object] | None) -> object:
    """A field's default as JSON has it: what needs no encoder is written as it is."""
    if encode is not None:
        return encode(default)
    return list(default) if isinstance(default, tuple) else default


def _getter(
    kind: type[attrgetter[Any] | itemgetter[Any]], names: tuple[str, ...]
) -> Callable[[Any], tuple[object, ...]]:
    getter = kind(*names)
    # With one name it gives no tuple.
    return getter if len(names) > 1 else lambda holder: (getter(holder),)


def item_decoder(kind: type[Dataclass], name: str) -> Callable[[Object], object]:
    """What decodes one X of a dataclass's field with the hint tuple[X, ...].

    It raises RecordError.
    """
    return _codec(get_args(_hints(kind)[name])[0]).decode


@cache
def _hints(kind: type) -> dict[str, object]:
    return inspect.get_annotations(kind, eval_str=True)


@cache
def _codec(hint: object) -> _Codec:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if origin is Annotated and arguments[0] is int:
        return _Codec((int,), int, None, _integer(arguments[1]))
    if origin is Literal:
        return _Codec((str,), str, None, _one_of({text: text for text in arguments}))
    if origin in (types.UnionType, Union):
        codecs = [_codec(argument) for argument in arguments if argument is not types.NoneType]
        united = codecs[0] if len(codecs) == 1 else _union(codecs)
        return _optional(united) if types.NoneType in arguments else united
    if (origin is tuple and arguments[1:] == (...,)) or origin is Sequence:
        return _tuple(_codec(arguments[0]))
    if origin is dict and arguments[0] is str:
        return _dict(_codec(arguments[1]))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        members = {member.value: member for member in hint}
        (json,) = {type(value) for value in members}
        return _Codec((hint,), json, attrgetter("value"), _one_of(members))
    if isinstance(hint, type) and is_dataclass(hint):
        known = fields_of(hint)
        return _Codec((hint,), dict, known.encode, lambda value: hint(*known.decode_values(value)))
    raise TypeError(f"there is no JSON for the type hint {hint}")


def _union(codecs: list[_Codec]) -> _Codec:
    """By the value's class one way, and by the JSON's type the other.

    Raises TypeError where two have one type in JSON.
    """
    encoders = {each: codec.encode for codec in codecs for each in codec.classes if codec.encode}
    decoders = {codec.json: codec.decode for codec in codecs}
    if len(decoders) < len(codecs):
        raise TypeError("values of several type hints have one type in JSON")
    wanted = " nor ".join(_NAMES[json] for json in decoders)

    def encode(value: object) -> object:
        encoder = encoders.get(type(value))
        return value if encoder is None else encoder(value)

    def decode(value: object) -> object:
        decoder = decoders.get(type(value))
        if decoder is None:
            raise RecordError(f"{short(value)} is neither {wanted}")
        return decoder(value)

    classes = tuple(each for codec in codecs for each in codec.classes)
    return _Codec(classes, object, encode if encoders else None, decode)


def _optional(some: _Codec) -> _Codec:
    encode_some, decode_some = some.encode, some.decode

    def encode(value: object) -> object:
        assert encode_some is not None
        return None if value is None else encode_some(value)

    def decode(value: object) -> object:
        return None if value is None else decode_some(value)

    classes = (*some.classes, types.NoneType)
    return _Codec(classes, object, encode if encode_some else None, decode)


def _tuple(item: _Codec) -> _Codec:
    encode_item, decode_item = item.encode, item.decode

    def decode(value: object) -> tuple[object, ...]:
        if type(value) is not list:
            raise RecordError(f"{short(value)} is no list")
        try:
            return tuple([decode_item(each) for each in value])
        except RecordError:
            name_fault(value)
            raise

    def name_fault(values: list[object]) -> None:
        for place, each in enumerate(values):
            try:
                decode_item(each)
            except RecordError as error:
                raise error.within(f"[{place}]") from None

    def encode(values: tuple[object, ...]) -> list[object]:
        assert encode_item is not None
        return [encode_item(value) for value in values]

    return _Codec((tuple,), list, encode if encode_item else None, decode)


def _dict(item: _Codec) -> _Codec:
    encode_item, decode_item = item.encode, item.decode

    def decode(value: object) -> dict[str, object]:
        if type(value) is not dict:
            raise RecordError(f"{short(value)} is no object")
        found: dict[str, object] = {}
        for key, each in value.items():
            try:
                found[key] = decode_item(each)
            except RecordError as error:
                raise error.within(f"[{key!r}]") from None
        return found

    def encode(values: dict[str, object]) -> dict[str, object]:
        assert encode_item is not None
        return {key: encode_item(value) for key, value in values.items()}

    return _Codec((dict,), dict, encode if encode_item else None, decode)


def _integer(allowed: range) -> Callable[[object], int]:
    first, last = allowed[0], allowed[-1]

    def decode(value: object) -> int:
        if type(value) is not int:
            raise RecordError(f"{short(value)} is no integer")
        if not first <= value <= last:
            raise RecordError(f"{short(value)} is not between {first} and {last}")
        return value

    return decode


def _one_of(members: Mapping[Any, object]) -> Callable[[object], object]:
    allowed = {type(value) for value in members}

    def decode(value: object) -> object:
        # By type first: true equals 1, and a list cannot be looked up.
        if type(value) not in allowed or value not in members:
            raise RecordError(f"{short(value)} is none of {', '.join(map(repr, members))}")
        return members[value]

    return decode


def _exactly(wanted: type) -> Callable[[object], object]:
    def decode(value: object) -> object:
        if type(value) is not wanted:
            raise RecordError(f"{short(value)} is not {_NAMES[wanted]}")
        return value

    return decode


def _parsed(parse: Callable[[str], object]) -> Callable[[object], object]:
    def decode(value: object) -> object:
        if type(value) is not str:
            raise RecordError(f"{short(value)} is not {_NAMES[str]}")
        try:
            return parse(value)
        except ValueError as error:
            raise RecordError(f"{short(value)}: {error}") from None

    return decode


def _parse_bytes(text: str) -> bytes:
    value = bytes.fromhex(text)
    if len(text) != 2 * len(value):
        raise ValueError("there is space between hexadecimal digits")  # which fromhex() skips
    return value


def _parse_interface(text: str) -> IPv4Interface | IPv6Interface:
    value = IPv6Interface(text) if ":" in text else IPv4Interface(text)
    # A netmask is taken as well, and an address alone. Its own text is not compared: there are
    # two for an IPv4-mapped address, by Python's version.
    if not text.endswith(f"/{value.network.prefixlen}"):
        raise ValueError("there is no prefix length, as in 10.0.0.1/24")
    return value


_NAMES = {
    int: "a number",
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
_SIMPLE: dict[object, _Codec] = {
    int: _Codec((int,), int, None, _integer(_INTEGERS)),
    str: _Codec((str,), str, None, _exactly(str), str),
    bool: _Codec((bool,), bool, None, _exactly(bool), bool),
    bytes: _Codec((bytes,), str, bytes.hex, _parsed(_parse_bytes)),
    IPv4Interface | IPv6Interface: _Codec(
        (IPv4Interface, IPv6Interface), str, str, _parsed(_parse_interface)
    ),
}
