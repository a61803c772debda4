"""What the hosts' kernels counted in a step, to be asked for by name and to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lab.frozen import frozen
from lab.linux.counters import CounterMeaning, meaning, of_any_interface
from lab.records import CountersSeen


@frozen
class Counters:
    """By how much the counters of one host changed in a step."""

    changes: Mapping[str, int] | None
    """Those that did; None where they were not read."""
    names: frozenset[str]
    """Those that the kernel has; of interfaces ":rx_packets"."""

    def __getitem__(self, name: str) -> int | None:
        """The change of the counter, by nstat(8)'s name: "TcpExtTCPTimeouts", "eth0:rx_packets".

        None where the counters were not read, and where this kernel has none of that name: then
        nobody knows whether it happened.
        """
        if self.changes is None:
            return None
        if name in self.changes:
            return self.changes[name]
        return 0 if of_any_interface(name) in self.names else None


@frozen
class CounterRow:
    """A counter that changed, as a line of a table."""

    name: str
    changes: tuple[int, ...]
    """Of each host, in the order of the hosts; 0 where it did not change."""
    meaning: CounterMeaning | None


@frozen
class CounterTable:
    """All counters that changed in a step."""

    hosts: tuple[str, ...]
    rows: tuple[CounterRow, ...]
    """Those whose meaning is known, in the order in which it is written; then the others."""


def counters_of(
    seen: Sequence[CountersSeen], names: Sequence[str], step: str, host: str
) -> Counters:
    """Those of a host in a step, of all that were recorded."""
    found = (each.changes for each in seen if (each.step, each.host) == (step, host))
    return Counters(next(found, None), frozenset(names))


def counter_table(seen: Sequence[CountersSeen], step: str) -> CounterTable:
    """What is shown of a step. Hosts on which nothing was counted are left out."""
    of_step = [each for each in seen if each.step == step and each.changes]
    rows = tuple(_rows(of_step))
    known = [row for row in rows if row.meaning is not None]
    known.sort(key=lambda row: _place(row.name))
    others = [row for row in rows if row.meaning is None]
    return CounterTable(tuple(each.host for each in of_step), (*known, *others))


def _rows(of_step: Sequence[CountersSeen]) -> Iterator[CounterRow]:
    for name in dict.fromkeys(name for each in of_step for name in each.changes):
        changes = tuple(each.changes.get(name, 0) for each in of_step)
        yield CounterRow(name, changes, meaning(name))


def _place(name: str) -> tuple[int, str]:
    from lab.linux.meanings import MEANINGS

    return list(MEANINGS).index(of_any_interface(name)), name
