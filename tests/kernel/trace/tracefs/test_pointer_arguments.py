from __future__ import annotations

import struct

import pytest
from traced_programs import CONVERSATION, run

from lab.kernel.sandbox.sandbox import Sandbox
from lab.records import InstrumentKind

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_tracefs")]


def test_what_pointers_point_to_is_read(sandbox: Sandbox) -> None:
    traced = run(sandbox, CONVERSATION)
    (reader,) = (one for one in traced.instruments if one.kind is InstrumentKind.POINTER_ARGUMENTS)
    if reader.obtained is None:
        pytest.skip(reader.text)
    data = [call.memory[0] for call in traced.calls("sendto", "recvfrom") if call.memory]
    assert [(one.data[:7], one.length) for one in data][:4] == [
        (b"Hello. ", 7), (b"Hello. ", 7), (b"x" * 7, 1000), (b"x" * 7, 10),
    ]  # fmt: skip
    (((_, port, _),)) = traced.said
    address = traced.calls("connect")[0].memory[0].data
    assert struct.unpack_from("!H", address, 2) == (port,)
