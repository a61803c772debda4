"""The tracepoints that the lab listens to, by their names and those of their fields."""

from __future__ import annotations

from lab.syscalls.table import CALLS

RESTART = "restart_syscall"
"""What the kernel has a thread call to go on with a call that a signal had interrupted."""
MAKERS = ("clone", "clone3", "fork", "vfork")
"""Calls whose result is the number that their caller knows the child by."""
_OTHERWISE = {"sendfile": "sendfile64"}
"""Calls whose tracepoints are not named as their man page is."""


def _names(side: str, calls: tuple[str, ...]) -> dict[str, str]:
    """Tracepoints of calls' entries or returns, with the call of each."""
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
"""What was written to trace_marker."""

OF_CALLS = (*ENTRY_OF, *EXIT_OF, *MAKER_EXITS, NEW_TASK, EXEC, EXIT, SIGNAL)
"""Listened to for the run's processes alone."""
NEEDED = (NEW_TASK, EXEC, EXIT, "syscalls:sys_enter_read", "syscalls:sys_exit_read")
"""Without these nothing can be followed."""

SET_STATE = "sock:inet_sock_set_state"
SEND_LENGTH, RECV_LENGTH = "sock:sock_send_length", "sock:sock_recv_length"  # since 6.3
DESTROY = "tcp:tcp_destroy_sock"
DROP = "skb:kfree_skb"
ARRIVAL = "net:netif_receive_skb"

OF_KERNEL = (
    SET_STATE,
    SEND_LENGTH,
    RECV_LENGTH,
    "tcp:tcp_retransmit_skb",
    "tcp:tcp_retransmit_synack",
    "tcp:tcp_send_reset",
    "tcp:tcp_receive_reset",
    DESTROY,
    "tcp:tcp_rcv_space_adjust",
    DROP,
    ARRIVAL,
)
"""Listened to whatever process is running, for it is often none of the run's."""

FIRST_MARK = b"wirelab first process"
PROGRAM_MARK = b"wirelab program "
"""Then the program's place among those of the run, and the process's number in its namespace."""
