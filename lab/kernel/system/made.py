"""What a process answers that was forked to make something: its descriptors, or why it could not.

Source: unix(7), SCM_RIGHTS.
"""

from __future__ import annotations

import errno
import os
import pickle
import socket
import traceback
from collections.abc import Sequence

from lab.errors import InstrumentError, LabError
from lab.kernel.system.limits import as_refusal

_ANSWER_BYTES = 1 << 16


def send_made(
    channel: socket.socket, descriptors: Sequence[int], error: BaseException | None
) -> None:
    """Answer with what was made, or with the error that kept this process from making it."""
    message: tuple[str, object] = ("ready", None)
    if isinstance(error, LabError):
        message = ("error", as_refusal(error) or error)
    elif error is not None:
        message = ("crash", "".join(traceback.format_exception(error)))
    socket.send_fds(channel, [pickle.dumps(message)], descriptors)


def take_made(channel: socket.socket, number: int, what: str) -> list[int]:
    """The descriptors of `what` was made, so many of them.

    Raises the LabError that was answered, InstrumentError where the process died or failed
    otherwise, and OSError (EMFILE) where this one has no room for them.
    """
    answer, descriptors, _, _ = socket.recv_fds(channel, _ANSWER_BYTES, number)
    if not answer:
        raise InstrumentError(f"the process that makes {what} died")
    kind, value = pickle.loads(answer)
    if kind == "error":
        raise value
    if kind == "crash":
        raise InstrumentError(f"{what} cannot be made:\n{value}")
    if len(descriptors) < number:
        # Those for which this process has no room are left out.
        for descriptor in descriptors:
            os.close(descriptor)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return descriptors
