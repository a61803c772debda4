"""The events of epoll(7), in text.

A struct epoll_event is packed on x86 alone: its data comes right behind the events there, and
elsewhere after four bytes that mean nothing. Source: epoll_event(3type),
include/uapi/linux/eventpoll.h, EPOLL_PACKED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.analysis.calls.constants import EPOLL_EVENTS, flag_names

if TYPE_CHECKING:
    from lab.records import Memory

EPOLL_DATA_AT = {"x86_64": 4, "aarch64": 8}
"""Where the data begins, by machine (`uname -m`). The struct ends behind it."""

_DATA_BYTES = 8
_MOST_DESCRIPTORS = 1 << 20
"""What is more is a pointer or a number of the program's own. Source: proc_sys_fs(5), nr_open."""
_ROOM_BYTES = 16
"""As many are read for each event: those of the larger struct (lab/syscall_table.py)."""


def machine_of(kernel: str) -> str:
    """The machine (`uname -m`) of a recording's `uname -srm`; "" if it is not there."""
    words = kernel.split()
    return words[2] if len(words) > 2 else ""


def event_text(data: bytes, data_at: int | None) -> str:
    """One event: "{EPOLLIN, data=3}"; without its data if `data_at` is None.

    The data is a union (epoll_event(3type)). A program that sets its `fd` leaves the upper four
    bytes as they were: such data is printed as "data.fd=3", without those bytes.
    """
    if len(data) < 4:
        return "{}"
    events = flag_names(EPOLL_EVENTS, int.from_bytes(data[:4], "little"))
    union = b"" if data_at is None else data[data_at : data_at + _DATA_BYTES]
    if len(union) < _DATA_BYTES:
        return f"{{{events}}}"
    number, low = int.from_bytes(union, "little"), int.from_bytes(union[:4], "little")
    if number == low:
        shown = f"data={number}"
    else:
        shown = f"data.fd={low}" if low < _MOST_DESCRIPTORS else f"data={number:#x}"
    return f"{{{events}, {shown}}}"


def events_text(memory: Memory, data_at: int | None) -> str:
    """All events that were read; only the first if `data_at` is None (an unknown machine)."""
    count = memory.length // _ROOM_BYTES
    size = _ROOM_BYTES if data_at is None else data_at + _DATA_BYTES
    known = min(count, len(memory.data) // size, count if data_at is not None else 1)
    texts = [event_text(memory.data[at * size :], data_at) for at in range(known)]
    if known < count:
        texts.append("...")
    return f"[{', '.join(texts)}]"
