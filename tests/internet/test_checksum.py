from __future__ import annotations

import frame_bytes as fb
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.internet.checksum import (
    checksum_holds,
    is_left_to_card,
    pseudo_header,
    right_checksum,
)


def test_rfc_1071_example_holds() -> None:
    assert checksum_holds(bytes.fromhex("0001f203f4f5f6f7220d"))
    assert not checksum_holds(bytes.fromhex("0001f203f4f5f6f7220e"))


@examples(200)
@given(st.binary(min_size=1, max_size=80), st.integers(0, 15))
def test_it_agrees_with_summing_word_by_word(data: bytes, bit: int) -> None:
    padded = data + b"\0" * (len(data) % 2)
    summed = padded + fb.internet_checksum(data).to_bytes(2, "big")
    assert checksum_holds(summed)
    wrong = int.from_bytes(summed, "big") ^ 1 << bit
    assert not checksum_holds(wrong.to_bytes(len(summed), "big"))


def test_an_odd_last_byte_is_the_high_half_of_a_word() -> None:
    assert checksum_holds(b"\xab\xff\x54") is True
    assert checksum_holds(b"\xab\xff\x55") is False


def test_zeros_are_not_their_own_checksum() -> None:
    assert checksum_holds(bytes(8)) is False


def test_one_form_of_pseudo_header_sums_as_both() -> None:
    for source, destination in ((fb.V4_A, fb.V4_B), (fb.V6_A, fb.V6_B)):
        ours = pseudo_header(source.packed + destination.packed, 17, 70000 % 65536)
        rfc = fb.pseudo_header(source, destination, 17, 70000 % 65536)
        assert fb.internet_checksum(ours) == fb.internet_checksum(rfc)


@examples(200)
@given(st.binary(min_size=2, max_size=80), st.integers(0, 39))
def test_the_right_checksum_is_the_one_that_makes_the_sum_hold(data: bytes, word: int) -> None:
    at = word % (len(data) // 2) * 2
    blank = data[:at] + b"\0\0" + data[at + 2 :]
    right = right_checksum(data, at)
    assert right == fb.internet_checksum(blank)
    mended = blank[:at] + right.to_bytes(2, "big") + blank[at + 2 :]
    assert checksum_holds(mended) or not any(mended)


def test_a_checksum_left_to_the_card_is_the_pseudo_headers_with_or_without_a_length() -> None:
    addresses = fb.V4_A.packed + fb.V4_B.packed
    for length in (27, 0):
        seed = 0xFFFF - fb.internet_checksum(pseudo_header(addresses, 6, length))
        assert is_left_to_card(seed, addresses, 6, 27)
        assert not is_left_to_card(seed ^ 1, addresses, 6, 27)


def test_the_checksum_of_rfc_1071s_example() -> None:
    assert right_checksum(bytes.fromhex("0001f203f4f5f6f70000"), 8) == ~0xDDF2 & 0xFFFF
