"""How headers are laid out: a line for each field, as in the standard's diagram."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from lab.analysis.fields.field import Form, HeaderField, Shape
from lab.frozen import frozen

Meaning = Callable[[int], str]
"""What a number stands for; "" where it speaks for itself."""


@frozen
class Bits:
    """A field's line in the diagram of its header."""

    name: str
    abbreviation: str
    bits: int
    form: Form = Form.DECIMAL
    factor: int = 1
    meaning: Meaning | None = None


@frozen
class HeaderLayout:
    """A header with a fixed order of fields, each behind the one before."""

    header: str
    source: str
    parts: tuple[Bits, ...]


def fields_at(
    data: bytes, at: int, layout: HeaderLayout, meanings: dict[str, str]
) -> Iterator[HeaderField]:
    """The fields of the header whose first byte is at `at`, as far as the data goes.

    `meanings` has by abbreviation what only the packet tells; it comes before the layout's own.
    """
    for part, shape in zip(layout.parts, _shapes(layout, at), strict=True):
        if shape.end_byte > len(data):
            return
        field = HeaderField(shape, data[shape.first_byte : shape.end_byte])
        meaning = meanings.get(part.abbreviation, "")
        if not meaning and part.meaning is not None:
            meaning = part.meaning(field.number)
        yield HeaderField(shape, field.raw, meaning) if meaning else field


@lru_cache(1 << 12)
def _shapes(layout: HeaderLayout, at: int) -> tuple[Shape, ...]:
    """The shapes of a header at that byte: most headers stand at one of a few places."""
    shapes = []
    first_bit = at * 8
    for part in layout.parts:
        shapes.append(
            shape_at(
                layout.header, part.name, part.abbreviation, first_bit, part.bits,
                part.form, layout.source, part.factor,
            )
        )  # fmt: skip
        first_bit += part.bits
    return tuple(shapes)


@lru_cache(1 << 14)
def shape_at(
    header: str,
    name: str,
    abbreviation: str,
    first_bit: int,
    bits: int,
    form: Form,
    source: str,
    factor: int = 1,
) -> Shape:
    """The one Shape of these values."""
    return Shape(header, name, abbreviation, first_bit, bits, form, source, factor)


def named(names: dict[int, str]) -> Meaning:
    """What looks a number up."""
    return lambda number: names.get(number, "")


def whole(
    data: bytes, at: int, end: int, header: str, name: str, source: str, abbreviation: str = ""
) -> Iterable[HeaderField]:
    """Bytes that are not taken apart; none where there are none."""
    raw = data[at:end]
    if raw:
        shape = shape_at(header, name, abbreviation, at * 8, len(raw) * 8, Form.BYTES, source)
        yield HeaderField(shape, raw)
