"""Any system call with any numbers and bytes."""

from __future__ import annotations

from hypothesis import strategies as st
from traced import call

from lab.records import Memory, Syscall
from lab.syscalls.table import CALLS

NUMBERS = st.integers(0, 64) | st.integers(0, 2**64 - 1)


@st.composite
def any_call(draw: st.DrawFn) -> Syscall:
    name = draw(st.sampled_from(sorted(CALLS)))
    shape = CALLS[name]
    memory = tuple(
        Memory(pointer.argument, part, pointer.at_exit, data, draw(st.integers(0, 300)))
        for pointer in shape.pointers
        for part in draw(st.sets(st.sampled_from(["", "name", "data", "control"])))
        for data in [draw(st.binary(max_size=128))]
    )
    arguments = tuple(draw(NUMBERS) for _ in shape.arguments)
    result = draw(st.integers(-5000, 5000) | st.none())
    return call("p", name, *arguments, result=result, memory=memory)
