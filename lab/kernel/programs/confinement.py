"""What a program that is not the lab's own may do: as whom it runs, and with which capabilities."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from lab.frozen import frozen
from lab.kernel.sandbox.mounts import Mount
from lab.kernel.sandbox.view import View
from lab.kernel.system import capabilities, libc
from lab.kernel.system.capabilities import last_capability, numbers_of
from lab.kernel.system.confining import Start
from lab.model.program import Program

KEPT = ("CAP_NET_BIND_SERVICE", "CAP_NET_RAW")
"""What every program has: ports below 1024, raw and packet sockets, in the run's own networks."""

# They name folders that the programs do not see.
_UNSET = ("TMPDIR", "TMP", "TEMP", "XDG_RUNTIME_DIR")


@frozen
class Identity:
    """The user that programs run as, where that is another than the lab's own."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str

    def environment(self) -> dict[str, str]:
        """What login(1) sets of it."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name}


class Confinement:
    """Confines processes that are about to execute a program."""

    def __init__(
        self,
        identity: Identity | None,
        capability_names: Iterable[str],
        folder: str,
        view: View | None,
    ) -> None:
        """Programs begin in that folder of the view; None where each has mounts of its own.

        Raises UsageError for an unknown capability.
        """
        self._identity = identity
        self._kept = frozenset(numbers_of((*KEPT, *capability_names)))
        self._folder = folder
        self._view = view
        self._last = last_capability()

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """A program's environment, by the lab's own."""
        found = dict(given)
        if self._view is not None and not self._view.has_hosts_files:
            for name in _UNSET:
                found.pop(name, None)
        return found | (self._identity.environment() if self._identity else {})

    @property
    def is_labs_own_user(self) -> bool:
        """Whether programs run as the user that the lab does."""
        return self._identity is None

    def allows(self, program: Program, capability: str) -> bool:
        """Whether that program has the capability. Raises UsageError for an unknown one."""
        return {*numbers_of((capability,))} <= self._kept | {*numbers_of(program.capabilities)}

    def mounts(self) -> Mapping[int, Mount]:
        """What is mounted now where programs share their mounts, by the mounts' ids.

        Raises KernelRefused and InstrumentError if the view could not be made.
        """
        if self._view is None:
            return {}
        self._view.wait()
        return self._view.mounts()

    @property
    def secrets(self) -> int | None:
        """A descriptor of the folder of TLS secrets in the programs' view; None without one.

        Raises KernelRefused and InstrumentError if the view could not be made.
        """
        if self._view is None:
            return None
        self._view.wait()
        return self._view.secrets

    @property
    def terminals(self) -> int | None:
        """A descriptor of the folder of terminals in the programs' view; None for the lab's own.

        Raises KernelRefused and InstrumentError if the view could not be made.
        """
        if self._view is None:
            return None
        self._view.wait()
        return self._view.terminals

    @property
    def owner(self) -> tuple[int, int] | None:
        """The uid and gid of what is made for the programs; None where they are the lab's own."""
        return (self._identity.uid, self._identity.gid) if self._identity else None

    @property
    def has_view(self) -> bool:
        """Whether programs have a mount namespace of their own."""
        return self._view is not None

    def start(self, more: Sequence[str], outputs: Sequence[int]) -> Start:
        """The confinement of one program, which has `more` capabilities.

        `outputs` are descriptors that it may open again by their names in /dev/fd. Raises
        KernelRefused and InstrumentError if the view could not be made.
        """
        if self._view is not None:
            self._view.wait()
        kept = self._kept | frozenset(numbers_of(more))
        return Start(partial(self.confine, kept, (1, 2, *outputs)))

    def confine(self, kept: Iterable[int], outputs: Iterable[int]) -> None:
        """Confine this process. Raises OSError and KernelRefused."""
        if self._view is not None:
            self._view.enter(self._folder)
        if self._identity is not None:
            who = self._identity
            for descriptor in outputs:
                os.fchown(descriptor, who.uid, who.gid)
            capabilities.become_user(who.uid, who.gid, who.groups)
        # As the programs' user: whose keyrings are counted by their owner. keyrings(7)
        libc.join_session_keyring()
        capabilities.keep_only(kept, self._last)
