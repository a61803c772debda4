"""What a program asks of the kernel that cannot be while the lab traces it by ptrace(2).

A task has one tracer at most. A task that was made with CLONE_UNTRACED has none, and for a task
without one the calls that the lab's filter stops fail with ENOSYS. Source: ptrace(2), clone(2),
seccomp(2), SECCOMP_RET_TRACE.
"""

from __future__ import annotations

CLONE_UNTRACED = 0x00800000

# include/uapi/linux/ptrace.h
PTRACE_TRACEME = 0
_ATTACHING = {16: "PTRACE_ATTACH", 0x4206: "PTRACE_SEIZE"}

_STATUS_BYTES = 4096
_ADVICE = "take --trace none or, as root, --trace bpf"


class Denials:
    """What the tasks of one program were denied: the first of it, since one advice serves all."""

    def __init__(self) -> None:
        self.first = ""
        """Worded as a record's failure; "" if nothing was denied."""

    def note_ptrace(self, request: int, target: int) -> None:
        """Note a task's ptrace(2) if it is denied because the lab traces its target.

        `target` is a pid of the tracer's own pid namespace.
        """
        request &= (1 << 64) - 1
        if request == PTRACE_TRACEME:
            self._note("called ptrace(PTRACE_TRACEME), but is traced by the lab already")
        elif request in _ATTACHING and _is_traced(target):
            called = f"called ptrace({_ATTACHING[request]})"
            self._note(f"{called} on a process that is traced by the lab already")

    def note_clone(self, flags: int) -> None:
        """Note a new task that its maker has excepted from being traced."""
        if flags & CLONE_UNTRACED:
            self._note("started a process with CLONE_UNTRACED, whose calls fail under ptrace")

    def _note(self, what: str) -> None:
        self.first = self.first or f"{what}; {_ADVICE}"


def _is_traced(pid: int) -> bool:
    """Whether a process has a tracer. Source: proc(5), /proc/pid/status."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123 — a Path costs more
            status = file.read(_STATUS_BYTES)
    except OSError:
        return False
    return any(
        line.startswith(b"TracerPid:") and line.split()[1] != b"0" for line in status.splitlines()
    )
