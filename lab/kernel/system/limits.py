"""What a limit on this process's descriptors or processes is to be called: the machine's refusal.

Source: getrlimit(2), RLIMIT_NOFILE and RLIMIT_NPROC; open(2), fork(2).
"""

from __future__ import annotations

import errno
import os
import resource

from lab.errors import MachineError

_NO_THREAD = "can't start new thread"  # CPython's words for EAGAIN of clone(2)


def as_refusal(error: BaseException) -> MachineError | None:
    """What to say of an error that a limit caused, itself or its cause; None of any other error."""
    found: BaseException | None = error
    while found is not None:
        if (refusal := _refusal(found)) is not None:
            return refusal
        found = found.__cause__ or found.__context__
    return None


def _refusal(error: BaseException) -> MachineError | None:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EMFILE:
        limit = _limit(resource.RLIMIT_NOFILE)
        return MachineError(
            f"wirelab has no descriptor left: the limit of open files is {limit}",
            "raise it: ulimit -n 1024",
        )
    if number == errno.ENFILE:
        return MachineError("this machine has no descriptor left", "see sysctl fs.file-max")
    if str(error) == _NO_THREAD or (isinstance(error, BlockingIOError) and not _can_fork()):
        limit = _limit(resource.RLIMIT_NPROC)
        return MachineError(
            f"wirelab cannot start another process or thread: the user's limit is {limit}",
            "raise it by ulimit -u, or the container's",
        )
    return None


def _can_fork() -> bool:
    """Whether it is fork(2) that fails with EAGAIN: a socket may too, which is no limit's doing."""
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


def _limit(which: int) -> str:
    soft, _ = resource.getrlimit(which)
    return "unlimited" if soft == resource.RLIM_INFINITY else str(soft)
