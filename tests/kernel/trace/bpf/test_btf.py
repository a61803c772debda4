"""What type information says, that which is made here and the kernel's own."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from lab.errors import KernelRefused
from lab.kernel.trace.bpf.btf import PATH, Btf, Tracepoint, kernel_btf

INT, PTR, ARRAY, STRUCT, UNION, ENUM, TYPEDEF, FUNC_PROTO = 1, 2, 3, 4, 5, 6, 8, 13


class Types:
    """Type information in the making; types have numbers from 1 on."""

    def __init__(self) -> None:
        self.types = b""
        self.names = b"\0"

    def name(self, text: str) -> int:
        if not text:
            return 0
        self.names += text.encode() + b"\0"
        return len(self.names) - len(text) - 1

    def add(self, kind: int, name: str, *words: int, count: int = 0, flag: int = 0) -> Types:
        info = flag << 31 | kind << 24 | count
        words = (self.name(name), info, 8, *words)
        self.types += struct.pack(f"={len(words)}I", *words)
        return self

    def structure(
        self, kind: int, name: str, *members: tuple[str, int, int], flag: int = 0
    ) -> Types:
        words = [word for text, number, bits in members for word in (self.name(text), number, bits)]
        return self.add(kind, name, *words, count=len(members), flag=flag)

    def data(self) -> bytes:
        sizes = 0, len(self.types), len(self.types), len(self.names)
        return struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, *sizes) + self.types + self.names


def packet() -> Types:
    """struct packet {int a; union {int b; struct {int c; int d;};}; int e : 3;}, among others."""
    types = Types().add(INT, "int", 0x20).add(ARRAY, "", 1, 1, 4)
    types.add(ENUM, "colours", 0, 0, 0, 1, count=2).add(FUNC_PROTO, "", 0, 1, count=1)
    types.structure(STRUCT, "other", ("a", 1, 640))
    types.structure(STRUCT, "packet", ("a", 1, 0), ("", 7, 64), ("e", 1, 3 << 24 | 160), flag=1)
    types.structure(UNION, "", ("b", 1, 0), ("", 8, 0))
    return types.structure(STRUCT, "", ("c", 1, 0), ("d", 1, 32))


@pytest.mark.parametrize(
    ("structure", "member", "offset"),
    [
        ("packet", "a", 0),
        ("packet", "b", 8),
        ("packet", "c", 8),
        ("packet", "d", 12),
        ("packet", "e", 20),
        ("other", "a", 80),
    ],
)
def test_a_member_is_found_in_unions_too(structure: str, member: str, offset: int) -> None:
    assert Btf(packet().data()).offset(structure, member) == offset


@pytest.mark.parametrize(
    ("structure", "member"), [("packet", "f"), ("int", "a"), ("none", "a"), ("a", "a")]
)
def test_what_is_not_there_is_refused(structure: str, member: str) -> None:
    with pytest.raises(KernelRefused, match=f"no member {member} of struct {structure}"):
        Btf(packet().data()).offset(structure, member)


def test_several_members_are_found_at_once_in_the_order_asked_for() -> None:
    assert Btf(packet().data()).offsets("packet", "d", "a", "e") == [12, 0, 20]
    with pytest.raises(KernelRefused, match="no member f of"):
        Btf(packet().data()).offsets("packet", "a", "f")


def kernel() -> Types:
    """enum reason {REASON_NONE = 2, REASON_OTHER = 7, LIMIT = 9}, and a tracepoint with two
    arguments."""
    types = packet()
    members = ("REASON_NONE", 2), ("REASON_OTHER", 7), ("LIMIT", 9)
    words = [word for name, value in members for word in (types.name(name), value)]
    types.add(ENUM, "reason", *words, count=len(members))  # number 9
    types.types += struct.pack("=3I", types.name("btf_trace_drop"), TYPEDEF << 24, 11)
    types.types += struct.pack("=3I", 0, PTR << 24, 12)
    types.add(FUNC_PROTO, "", 0, 1, 0, 1, 0, 1, count=3)
    types.types += struct.pack("=3I", types.name("btf_trace_odd"), TYPEDEF << 24, 1)
    return types


def test_an_enums_members_are_named_without_their_prefix() -> None:
    btf = Btf(kernel().data())
    assert btf.names("reason", "REASON_") == {2: "NONE", 7: "OTHER"}
    assert btf.names("packet", "") == btf.names("none", "") == {}


def test_a_tracepoint_has_the_number_of_its_type_and_its_own_arguments() -> None:
    assert Btf(kernel().data()).tracepoint("drop") == Tracepoint(10, 2)


@pytest.mark.parametrize("name", ["none", "odd"])
def test_what_is_no_tracepoint_is_refused(name: str) -> None:
    with pytest.raises(KernelRefused, match=f"no tracepoint {name}"):
        Btf(kernel().data()).tracepoint(name)


def test_other_bytes_are_no_type_information() -> None:
    for data in (b"", packet().data()[:23], packet().data()[::-1]):
        with pytest.raises(KernelRefused, match="is no BTF"):
            Btf(data)


@pytest.mark.kernel
def test_the_kernels_own_is_read() -> None:
    if not Path(PATH).exists():
        pytest.skip("this kernel has no BTF")
    btf = kernel_btf()
    assert kernel_btf() is btf
    ends = [btf.offset("sk_buff", member) for member in ("tail", "end", "head", "data")]
    assert ends == sorted(ends)
    assert btf.offset("sock", "__sk_common") == 0
    assert btf.tracepoint("inet_sock_set_state").arguments == 3
