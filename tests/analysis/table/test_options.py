from __future__ import annotations

import random

import frame_bytes as fb
import pytest
from tabled import check_alike, framed

from lab.analysis.table.columns import NO_OPTION

STAMPS = bytes.fromhex("0101080a0000000100000002")


@pytest.mark.parametrize(
    "options",
    [
        "", "01010101", "0101080a0000000100000002", "020405b40402080a00000001000000020103030f",
        "0101050a0000000a00000014", "050a0000000a000000140000", "03030200", "00030302", "03020000",
        "0101051a" + "00000001" * 6, "01010512" + "ffffffff" * 4, "0502" + "0000", "0504" + "aaaa",
        "020305b4", "fe", "0a00", "0a01", "fd0600000000", "0303010303020000", "05220000000100000002"
        + "00000003" * 6 + "0000",
    ],
)  # fmt: skip
def test_options_are_those_of_the_dissection(options: str) -> None:
    given = bytes.fromhex(options)
    given += bytes(-len(given) % 4)
    for flags in (fb.SYN, fb.ACK):
        segment = fb.tcp(b"data", flags=flags, options=given)
        check_alike([framed(fb.ethernet(fb.ipv4(segment)))])


def test_random_options_are_those_of_the_dissection() -> None:
    rng = random.Random(5)
    frames = []
    for number in range(300):
        options = bytearray(rng.choice((b"", STAMPS)))
        while len(options) < 28 and rng.random() < 0.8:
            options += bytes((rng.choice((0, 1, 2, 3, 4, 5, 8, 30)), rng.choice((0, 2, 3, 4, 10))))
            options += rng.randbytes(rng.randrange(4))
        options += bytes(-len(options) % 4)
        segment = fb.tcp(b"x", options=bytes(options), sport=1000 + number)
        frames.append(framed(fb.ethernet(fb.ipv4(segment))))
    check_alike(frames)


def test_without_an_option_a_column_says_so() -> None:
    table = check_alike([framed(fb.ethernet(fb.ipv4(fb.tcp())))])
    assert table.packets.window_shift.tolist() == table.packets.mss.tolist() == [NO_OPTION]
    assert len(table.sacks.rows) == 0
