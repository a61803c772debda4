"""Which programs may have done something to the run itself, and not only within it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from lab.errors import InstrumentError
from lab.kernel.programs.confinement import Confinement
from lab.model.program import Program, Step
from lab.records import Disturbance


class Disturbers:
    """The programs that were started until now, by what each is allowed."""

    def __init__(self, confinement: Confinement | None) -> None:
        self._confinement = confinement
        self._programs: list[Program] = []

    def add(self, step: Step) -> None:
        """Count the step's programs among them, but for those in cells, which cannot."""
        self._programs += (program for program in step.programs if program.cell is None)

    def of_network(self, step: Step, hosts: Collection[str], what: str) -> Disturbance:
        """What was done to the network of one of these hosts.

        Raises InstrumentError where no program may configure it: the fault is the lab's.
        """
        on_hosts = (program for program in self._programs if program.host in hosts)
        return self._disturbance(step, on_hosts, "CAP_NET_ADMIN", what)

    def host_of(self, name: str) -> str:
        """Where the program of that name is; "" if it is none of them."""
        return next((each.host for each in self._programs if each.name == name), "")

    def hosts(self) -> frozenset[str]:
        """The hosts whose network the lab's confinement lets one of them configure."""
        if self._confinement is None:
            return frozenset()  # the lab's own scenarios show what they do there
        able = (p for p in self._programs if self._is_allowed(p, "CAP_NET_ADMIN"))
        return frozenset(program.host for program in able)

    def may_configure(self) -> bool:
        """Whether the lab's confinement lets every program configure its host's network."""
        anything = Program("", "", ())
        return self._confinement is not None and self._is_allowed(anything, "CAP_NET_ADMIN")

    def of_files(self, step: Step, what: str) -> Disturbance:
        """What was done to the mounts that the programs share.

        Those with CAP_SYS_ADMIN are named, and all of them where nobody has it: whoever may delete
        a folder in another mount namespace detaches here what is mounted on it (rmdir(2)).
        """
        able = [each for each in self._programs if self._is_allowed(each, "CAP_SYS_ADMIN")]
        return self._disturbance(step, able or self._programs, "", what)

    def of_processes(self, step: Step, what: str) -> Disturbance:
        """What was done to processes of the lab's. Raises InstrumentError as above."""
        may_signal = self._confinement is None or self._confinement.is_labs_own_user
        return self._disturbance(step, self._programs, "" if may_signal else "CAP_KILL", what)

    def _disturbance(
        self, step: Step, programs: Iterable[Program], capability: str, what: str
    ) -> Disturbance:
        able = [
            program.name
            for program in programs
            if not capability or self._is_allowed(program, capability)
        ]
        if not able:
            raise InstrumentError(f"{what}; no program of the run is allowed to cause that")
        return Disturbance(step.name, tuple(dict.fromkeys(able)), what)

    def _is_allowed(self, program: Program, capability: str) -> bool:
        if self._confinement is not None:
            return self._confinement.allows(program, capability)
        # Another user's capabilities end with execve(2), but for ambient ones: capabilities(7).
        return os.geteuid() == 0 or capability in program.capabilities
