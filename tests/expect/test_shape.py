from __future__ import annotations

import pytest
import recorded as r
from expected import as_it_was, result_of

from lab.expect.shape import shape_of

TCP = """\
tcp client > server:4242
  client SYN mss=1460 sack_permitted timestamps window_scale
  server SYN-ACK mss=1460 sack_permitted timestamps window_scale
  client 48 bytes
    'Hello. These are three messages, or so I think.\\n'
  client FIN
  server 43 bytes
    'I read what you wrote, not how you cut it.\\n'
  server FIN"""


def lines(name: str, edit: r.Edit = as_it_was) -> tuple[str, ...]:
    return shape_of(result_of(name, edit).subjects())


@pytest.mark.parametrize(
    ("name", "mss"), [("tcp4", 1460), ("traced-tcp4", 1460), ("tcp6", 1440), ("traced-tcp6", 1440)]
)
def test_a_conversation_is_its_items_without_what_varies(name: str, mss: int) -> None:
    assert lines(name) == tuple(TCP.replace("1460", str(mss)).split("\n"))


def test_what_comes_again_is_left_out() -> None:
    assert lines("tcp4", r.repeated(6, 7)) == tuple(TCP.split("\n"))


def test_datagrams_are_items_each_and_errors_with_them() -> None:
    shape = lines("udp4")
    assert "udp client > server:4242" in shape
    assert "  client 0 bytes" in shape
    assert "  server ICMP type=3 code=3" in shape
    assert sum(line.startswith("step ") for line in shape) >= 2


def test_long_payload_is_cut_and_told_apart_by_its_crc() -> None:
    def with_payload(payload: bytes) -> list[str]:
        shape = lines("tcp4", r.changed(8, r.set_payload(payload)))
        return [line for line in shape if "CRC" in line]

    one, other = with_payload(b"x" * 300), with_payload(b"x" * 299 + b"y")
    assert len(one) == len(other) == 1
    assert one != other
    many = with_payload(b"line\n" * 100)
    assert many == [line for line in many if line.startswith("    ... and 20")]


def test_a_star_in_payload_is_told_from_one_that_stands_for_anything() -> None:
    shape = lines("tcp4", r.changed(6, r.set_payload(b"a * b. ")))
    assert any(r"a \* b" in line for line in shape)
