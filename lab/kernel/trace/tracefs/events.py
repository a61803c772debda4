"""The tracepoints that the lab enables, and the marks that it writes among their events."""

from __future__ import annotations

from lab.syscalls.i386 import SAME_NUMBER, i386_numbers
from lab.syscalls.table import CALLS

RESTART = "restart_syscall"
"""The call that the kernel makes a thread make to resume one that a signal interrupted."""
MAKERS = ("clone", "clone3", "fork", "vfork")
"""Calls whose result is the child's tid in the caller's pid namespace."""
_OTHERWISE = {"sendfile": "sendfile64"}
"""Calls whose tracepoint has another name than their man page."""


def _names(side: str, calls: tuple[str, ...]) -> dict[str, str]:
    """The tracepoints of calls' entries ("enter") or returns ("exit"), with the call of each."""
    return {f"syscalls:sys_{side}_{_OTHERWISE.get(call, call)}": call for call in calls}


ENTRY_OF = _names("enter", (*CALLS, RESTART))
EXIT_OF = _names("exit", (*CALLS, RESTART))
MAKER_EXITS = tuple(_names("exit", MAKERS))
NUMBER_FIELD = "__syscall_nr"

NEW_TASK = "task:task_newtask"
EXEC = "sched:sched_process_exec"
EXIT = "sched:sched_process_exit"
SIGNAL = "signal:signal_deliver"
MARK = "ftrace:print"
"""The event for text that is written to trace_marker."""

RAW_ENTER, RAW_EXIT = "raw_syscalls:sys_enter", "raw_syscalls:sys_exit"
"""For every call, those by the i386 table too, which have no tracepoints of their own."""
SAME_NUMBERED = {
    f"syscalls:sys_enter_{call}": number
    for number, call in SAME_NUMBER.items()
    if i386_numbers() and call not in CALLS
}
"""The entries of calls that are not traced, but would be taken for others by their numbers."""
RAW_FILTER = " || ".join(f"id == {number}" for number in i386_numbers().values())
"""Which of the raw events are wanted; "" if none."""

SEND_LENGTH, RECV_LENGTH = "sock:sock_send_length", "sock:sock_recv_length"  # since 6.3
LENGTHS = (SEND_LENGTH, RECV_LENGTH)
"""Which socket a call sent to or received from. Other processes' would fill every buffer."""
OF_CALLS = (*ENTRY_OF, *EXIT_OF, *MAKER_EXITS, NEW_TASK, EXEC, EXIT, SIGNAL, *LENGTHS)
"""Enabled for the run's processes alone."""
NEEDED: tuple[str, ...] = (
    NEW_TASK,
    EXEC,
    EXIT,
    "syscalls:sys_enter_read",
    "syscalls:sys_exit_read",
)
"""Without these, no call can be followed."""

SET_STATE = "sock:inet_sock_set_state"
DESTROY = "tcp:tcp_destroy_sock"
DROP = "skb:kfree_skb"
RING = "io_uring:io_uring_create"
"""Where a kernel with io_uring(7) makes a ring. It is not enabled: BPF programs run there."""
UNEXPLAINED = "NOT_SPECIFIED"
"""The reason of a drop with which Linux frees packets that it has used, too, such as the last ACK
of a connection."""

OF_KERNEL = (
    SET_STATE,
    "tcp:tcp_retransmit_skb",
    "tcp:tcp_retransmit_synack",
    "tcp:tcp_send_reset",
    "tcp:tcp_receive_reset",
    DESTROY,
)
"""Enabled for all processes: when they happen, the running one is often none of the run's. So is
DROP, if BPF does not see the drops."""

INIT_MARK = b"wirelab init"
"""Written by the sandbox's init. What is older than it is of no concern to the run."""
PROGRAM_MARK = b"wirelab program "
"""Written by a program's process; then the program's index in the run, and the process's pid in
the sandbox's pid namespace."""
