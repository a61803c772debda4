from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

from scenes import recorded_result

from lab.analysis.fields.fields import fields_of
from lab.analysis.packets.packet import Payload
from lab.report.html.packing import MOST_PAYLOAD_BYTES, FramePacker, Numbers


def test_equal_values_have_one_number() -> None:
    numbers = Numbers()
    assert [numbers.of("a"), numbers.of("b"), numbers.of("a")] == [0, 1, 0]
    assert numbers.values == ["a", "b"]


def test_a_packed_frame_has_all_its_fields_and_bytes() -> None:
    packer = FramePacker(whole=True)
    for crossing in recorded_result("tcp4").timelines[0].crossings:
        packed = packer.pack(crossing.packet)
        assert b64decode(packed["bytes"]) == crossing.packet.frame.data
        shapes, meanings = packer.dissections.values[packed["fields"]]
        fields = fields_of(crossing.packet)
        tables = packer.tables()
        assert [tables["meanings"][number] for number in meanings] == [f.meaning for f in fields]
        assert [tables["shapes"][number][1] for number in shapes] == [f.shape.name for f in fields]


def test_equal_headers_are_written_once() -> None:
    packer = FramePacker(whole=True)
    crossings = recorded_result("tcp4").timelines[0].crossings
    numbers = [packer.pack(crossing.packet)["fields"] for crossing in crossings]
    assert len(set(numbers)) < len(numbers)


def test_of_many_frames_headers_and_the_first_bytes_behind_them_are_kept() -> None:
    crossing = recorded_result("tcp4").timelines[0].crossings[5]
    packet, long = crossing.packet, bytes(1000)
    head = packet.frame.data[: len(packet.frame.data) - len(packet.payload)]
    payload = Payload(packet.layers[-1].offset, long)
    bigger = replace(
        packet,
        frame=replace(packet.frame, data=head + long),
        layers=(*packet.layers[:-1], payload),
    )
    packed = FramePacker(whole=False).pack(bigger)
    assert b64decode(packed["bytes"]) == head + long[:MOST_PAYLOAD_BYTES]
    assert packed["captured"] == len(head + long)
