"""Offsets of members, from type information that is made here and from the kernel's own."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from lab.errors import KernelRefused
from lab.kernel.trace.bpf.btf import PATH, Btf, kernel_btf

INT, ARRAY, STRUCT, UNION, ENUM, FUNC_PROTO = 1, 3, 4, 5, 6, 13


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
