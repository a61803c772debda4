"""The queueing disciplines of a host's interfaces, and what they threw away.

Source: tc(8); rtnetlink(7), RTM_GETQDISC; include/uapi/linux/pkt_sched.h and gen_stats.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable

from lab.frozen import frozen
from lab.kernel.netlink.dumps import HEADER, attributes, dumped, nested

RTM_GETQDISC = 38
ROOT, INGRESS = 0xFFFFFFFF, 0xFFFFFFF1
"""Parents: of what leaves the interface, and of what comes to it."""
_TCA_KIND, _TCA_STATS2, _TCA_STATS_QUEUE = 1, 7, 3
_DISCIPLINE = struct.Struct("=BxxxiIII")  # struct tcmsg: family, index, handle, parent, info
_QUEUE = struct.Struct("=5I")  # struct gnet_stats_queue: length, backlog, drops, requeues, over


@frozen
class Discipline:
    """One queueing discipline, as it is at one moment."""

    index: int
    """The interface's."""
    kind: str
    handle: int
    parent: int
    drops: int = 0
    """Packets that it threw away, those of the disciplines beneath it too."""
    overlimits: int = 0
    """Times that it held back what went beyond its limits."""
    requeues: int = 0


def read_disciplines() -> list[Discipline]:
    """Those of the entered namespace's interfaces, "noqueue" of those that have none too.

    A kernel without packet scheduling (CONFIG_NET_SCHED) has none. Raises OSError.
    """
    try:
        messages = [*dumped(RTM_GETQDISC, _DISCIPLINE.pack(socket.AF_UNSPEC, 0, 0, 0, 0))]
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            return []
        raise
    found = []
    for message in messages:
        _, index, handle, parent, _ = _DISCIPLINE.unpack_from(message, HEADER.size)
        by_number = dict(attributes(message, _DISCIPLINE.size))
        kind = by_number[_TCA_KIND].rstrip(b"\0").decode("ascii")
        queue = dict(nested(by_number.get(_TCA_STATS2, b""))).get(_TCA_STATS_QUEUE, b"")
        _, _, drops, requeues, overlimits = (
            _QUEUE.unpack_from(queue) if len(queue) >= _QUEUE.size else (0,) * 5
        )
        found.append(Discipline(index, kind, handle, parent, drops, overlimits, requeues))
    return found


@frozen
class QueueCounts:
    """What the disciplines of one interface count: it has one on each way, with others beneath."""

    interface: str
    disciplines: tuple[Discipline, ...]


def read_queue_counts() -> tuple[QueueCounts, ...]:
    """Of the entered namespace's interfaces, those with disciplines that count. Raises OSError."""
    of_interface: dict[int, list[Discipline]] = {}
    for each in read_disciplines():
        if each.kind != "noqueue" and each.parent in (ROOT, INGRESS):
            of_interface.setdefault(each.index, []).append(each)
    return tuple(
        QueueCounts(socket.if_indextoname(index), tuple(some))
        for index, some in of_interface.items()
    )


def counted(before: Iterable[QueueCounts], after: Iterable[QueueCounts]) -> dict[str, int]:
    """What the disciplines counted meanwhile, by the names that lab.linux.counters has.

    One that was not there before, or was replaced, has counted from 0 on.
    """
    old = {
        (counts.interface, each.parent, each.kind, each.handle): each
        for counts in before
        for each in counts.disciplines
    }
    found: dict[str, int] = {}
    for counts in after:
        for each in counts.disciplines:
            was = old.get((counts.interface, each.parent, each.kind, each.handle))
            if was is None or was.drops > each.drops or was.overlimits > each.overlimits:
                was = Discipline(each.index, each.kind, each.handle, each.parent)
            way = "qdisc" if each.parent == ROOT else "ingress"
            name = f"{counts.interface}:{way}"
            found[f"{name}_drops"] = each.drops - was.drops
            if each.parent == ROOT:
                found[f"{name}_overlimits"] = each.overlimits - was.overlimits
                found[f"{name}_requeues"] = max(each.requeues - was.requeues, 0)
    return found
