"""Why a peer's uid is another in a user namespace is said."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from ad_hoc_run import SHOWN, AdHocRun, python

pytestmark = pytest.mark.kernel

SERVE = SHOWN["uid-not-mapped"].server
ASK = """
import ctypes, os, socket, struct
IN_ITS_OWN
s = socket.socket(socket.AF_UNIX)
s.connect("{unix}")
s.recv(10)
print(struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
"""
NOT_MAPPED = "assert not ctypes.CDLL(None).unshare(0x10000000)"
MAPPED = """
uid = os.getuid()
assert not ctypes.CDLL(None).unshare(0x10000000)
try:
    open("/proc/self/uid_map", "w").write(f"4321 {uid} 1")
except OSError:
    pass
"""
"""Where the kernel lets it, as it does who is not root, it has its uid by another number."""


@pytest.mark.parametrize("how", [MAPPED, NOT_MAPPED, ""], ids=["mapped", "not-mapped", "plain"])
def test_the_uid_of_a_peer(ad_hoc: Callable[..., AdHocRun], how: str) -> None:
    path = SHOWN["uid-not-mapped"].unix
    client = ASK.replace("{unix}", path).replace("IN_ITS_OWN", how)
    run = ad_hoc(python(SERVE), python(client), "--unix", path, trace="auto")
    found = run.causes
    read = int(run.wrote["client"])
    names = {os.getuid(): [], 65_534: ["uid-not-mapped"]} if os.getuid() != 65_534 else {}
    names = {**names, 4321: ["uid-mapped"], **({} if names else {65_534: []})}
    assert list(found) == names[read]
    if not how:
        assert read == os.getuid()
    for text in found.values():
        assert f"which runs as uid {os.getuid()}: client is in a user namespace of its own" in text
