"""The programs that follow threads, as bytes; test_call_reader.py has a kernel run them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from program_maps import MAPS, assert_goes_forward_and_ends, differing

from lab.kernel.trace.bpf.btf import PATH, kernel_btf
from lab.kernel.trace.bpf.builder import Maps
from lab.kernel.trace.bpf.records import RecordKind
from lab.kernel.trace.bpf.task_programs import (
    SignalOffsets,
    SocketOffsets,
    end_program,
    exec_program,
    length_program,
    length_programs,
    new_task_program,
    signal_program,
    task_programs,
)


def programs(maps: Maps = MAPS) -> list[bytes]:
    return [
        new_task_program(maps),
        exec_program(maps),
        end_program(maps),
        signal_program(maps, SignalOffsets(0, 8)),
        length_program(maps, RecordKind.SENT, SocketOffsets(16, 500)),
    ]


def test_a_program_only_goes_forward_and_ends() -> None:
    for code in programs():
        assert_goes_forward_and_ends(code)


def test_each_asks_the_map_that_says_who_is_followed() -> None:
    others = programs(replace(MAPS, followed=99))
    assert all(differing(code, other) for code, other in zip(programs(), others, strict=True))


def test_what_is_sent_and_what_is_received_differ_by_their_kind_alone() -> None:
    offsets = SocketOffsets(16, 500)
    sent, received = (
        length_program(MAPS, kind, offsets) for kind in (RecordKind.SENT, RecordKind.RECEIVED)
    )
    (place,) = differing(sent, received)
    kinds = [code[place + 4] for code in (sent, received)]
    assert kinds == [RecordKind.SENT, RecordKind.RECEIVED]


@pytest.mark.kernel
def test_there_is_one_for_each_tracepoint() -> None:
    if not Path(PATH).exists():
        pytest.skip("this kernel has no BTF")
    programs = task_programs(MAPS, kernel_btf()) | length_programs(MAPS, kernel_btf())
    assert sorted(programs) == [
        "sched_process_exec", "sched_process_exit", "signal_deliver", "sock_recv_length",
        "sock_send_length", "task_newtask",
    ]  # fmt: skip
    assert len(set(programs.values())) == len(programs)
