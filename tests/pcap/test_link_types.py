from __future__ import annotations

import pytest

from lab.pcap.link_types import LINK_TYPES, MAX_CAPTURED_BYTES, link_type_name, longest_packet
from lab.records import LinkType


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "0 (NULL)"),
        (189, "189 (USB_LINUX)"),
        (147, "147 (USER0)"),
        (162, "162 (USER15)"),
        (304, "304 (DECT_NR_TAP)"),
        (65000, "65000"),
    ],
)
def test_a_link_type_has_its_number_and_its_name(number: int, name: str) -> None:
    assert link_type_name(number) == name


def test_every_link_type_of_the_lab_has_a_name() -> None:
    assert [each for each in LinkType if "(" not in link_type_name(each.value)] == []
    assert set(LINK_TYPES.values()) == set(LinkType)


def test_usb_packets_may_be_longer_than_frames() -> None:
    assert longest_packet(1) == MAX_CAPTURED_BYTES < longest_packet(220)
