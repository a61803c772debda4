"""BPF expressions by libpcap, on frames of which it is known what they are."""

from __future__ import annotations

import frame_bytes as fb
import pytest

from lab.errors import MachineError, UsageError
from lab.kernel.links import expressions
from lab.kernel.links.expressions import compiled

pytestmark = pytest.mark.kernel

SYN = fb.ethernet(fb.ipv4(fb.tcp(b"", flags=2)))
DATA = fb.ethernet(fb.ipv4(fb.tcp(b"hello", flags=0x18)))
DATAGRAM = fb.ethernet(fb.ipv4(fb.udp(b"hello"), protocol=17))


@pytest.mark.parametrize(
    ("expression", "frames"),
    [
        ("tcp", [SYN, DATA]),
        ("tcp[tcpflags] & tcp-syn != 0", [SYN]),
        ("udp", [DATAGRAM]),
        ("greater 55", [DATA]),
        ("dst port 80", [SYN, DATA]),
        ("", [SYN, DATA, DATAGRAM]),
    ],
)
def test_frames_that_an_expression_describes(expression: str, frames: list[bytes]) -> None:
    describes = compiled(expression)
    assert [frame for frame in (SYN, DATA, DATAGRAM) if describes(frame)] == frames


def test_a_wrong_expression_is_named() -> None:
    with pytest.raises(UsageError, match=r"^wire rule: bpf 'tcp and and': .*syntax error"):
        compiled("tcp and and")


def test_a_machine_without_libpcap_is_told_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_NAMES", ("libnothing.so.9",))
    with pytest.raises(MachineError, match="apt-get install libpcap"):
        compiled("tcp")
