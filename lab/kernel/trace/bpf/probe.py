"""Whether this process may have BPF programs look at the kernel, asked of the kernel itself.

A program is loaded that calls each of the helpers by which the others read memory and the clock: it
is refused to whoever lacks the rights, where the kernel is locked down (kernel_lockdown(7)), and
before Linux 6.1.
"""

from __future__ import annotations

import os
from functools import cache

from lab.errors import KernelRefused
from lab.kernel.trace.bpf import bpf, btf
from lab.kernel.trace.bpf.code import Code, Helper, Register, Width

R0, R1, R2, R3, *_, STACK = Register


def probe_program() -> bytes:
    """Calls the helpers, and does nothing."""
    code = Code()
    code.call(Helper.GET_CURRENT_TASK_BTF)
    code.call(Helper.KTIME_GET_TAI_NS)
    for helper in (Helper.PROBE_READ_USER, Helper.PROBE_READ_KERNEL):
        code.store(Width.U64, STACK, -8, 0)
        code.stack_address(R1, -8)
        code.move(R2, 8)
        code.move(R3, 0)
        code.call(helper)
    code.move(R0, 0)
    code.exit()
    return code.assemble()


@cache
def why_no_bpf() -> str:
    """Why not, in a few words; "" if it may."""
    if not os.path.lexists(btf.PATH):
        return f"the kernel has no {btf.PATH} (CONFIG_DEBUG_INFO_BTF)"
    try:
        os.close(bpf.load_program(probe_program(), "wirelab_probe"))
    except KernelRefused as error:
        return f"{error} (Linux 6.1 and root's own capabilities are needed)"
    return ""
