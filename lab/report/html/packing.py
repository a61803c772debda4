"""What many events have in common, written once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Hashable
from typing import Any

from lab.analysis.fields.fields import fields_of
from lab.analysis.packets.packet import Packet
from lab.report.svg.visible import visible

Packed = dict[str, Any]

WHOLE_BYTES = 600_000
"""As many bytes of frames are in a page; where there are more, of each frame its headers and
the first MOST_PAYLOAD_BYTES behind them."""
MOST_PAYLOAD_BYTES = 64


class Numbers:
    """Values by numbers, in order of their first use."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Hashable, int] = {}

    def of(self, key: Hashable, value: Any = None) -> int:  # noqa: ANN401  what JSON can be
        """The number of a key; it stands for `value`, or for itself."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.values)
            self.values.append(key if value is None else value)
        return number


class FramePacker:
    """Packs frames' bytes and fields for one part of a page.

    A field's raw value is in the bytes: what is written beside them is where it stands, and what
    it means. Equal headers at equal places share that.
    """

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.shapes = Numbers()
        self.meanings = Numbers()
        self.dissections = Numbers()

    def pack(self, packet: Packet) -> Packed:
        """The frame's bytes, its length on the wire and its dissection's number."""
        fields = fields_of(packet)
        shapes = tuple(
            self.shapes.of(
                field.shape,
                [
                    field.shape.header,
                    field.shape.name,
                    field.shape.abbreviation,
                    field.shape.first_bit,
                    field.shape.bits,
                    field.shape.form.value,
                    field.shape.source,
                    field.shape.factor,
                ],
            )
            for field in fields
        )
        said = tuple(self.meanings.of(visible(field.meaning)) for field in fields)
        data = packet.frame.data
        kept = data if self.whole else data[: len(data) - max(0, self._excess(packet))]
        packed: Packed = {
            "size": packet.frame.wire_bytes,
            "bytes": b64encode(kept).decode("ascii"),
            "fields": self.dissections.of((shapes, said), [shapes, said]),
        }
        if len(kept) < len(data):
            packed["captured"] = len(data)
        return packed

    @staticmethod
    def _excess(packet: Packet) -> int:
        return len(packet.payload) - MOST_PAYLOAD_BYTES

    def tables(self) -> Packed:
        """What the numbers stand for."""
        return {
            "shapes": self.shapes.values,
            "meanings": self.meanings.values,
            "dissections": self.dissections.values,
        }
