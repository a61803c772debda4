"""What a person writes: a topology, steps of programs, and claims, as plain values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from lab.errors import UsageError
from lab.frozen import frozen
from lab.model.claim import Claim
from lab.model.family import Family
from lab.model.lesson import Lesson
from lab.model.program import Program, Step
from lab.model.table import Table
from lab.model.topology import Topology

OTHER_PLACEHOLDERS = frozenset({"python", "family", "loopback"})
"""Placeholders in a program's argv that stand for no host."""


NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@frozen
class Scenario:
    """An experiment: who is there, what they run, and what must turn out to be true.

    Its claims are named after it. Raises UsageError if names clash, a claim is on a step that it
    does not have, a claim's check takes another number of steps, its lesson rests on a claim that
    it does not list, a program is given an address that only a host that forwards could reach, or
    a wire's rule is wrong.
    """

    name: str
    summary: str
    topology: Topology
    steps: tuple[Step, ...]
    claims: tuple[Claim, ...]
    speaks_ip: bool = True
    """Whether internet sockets have a part in it, so that it differs by IP version."""
    families: tuple[Family, ...] = tuple(Family)
    """The IP versions that it can be run over."""
    captures_loopback: bool = False
    """Whether each host's `lo` is a capture point as well."""
    lesson: Lesson | None = None
    """The question that a run answers; None where it has none."""
    table: Callable[..., Table] | None = None
    """What makes the table that a run shows, of the timelines of all steps; None: it has none."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise UsageError(
                f"scenario {self.name!r}: its name is its runs' folder: use ASCII letters, digits, "
                "'-', '_' and '.'"
            )
        object.__setattr__(self, "claims", tuple(map(self._own, self.claims)))
        programs = [program.name for step in self.steps for program in step.programs]
        steps = [step.name for step in self.steps]
        for what, names in (
            ("programs", programs),
            ("steps", steps),
            ("claims", [claim.id for claim in self.claims]),
        ):
            if len(set(names)) < len(names):
                raise UsageError(f"scenario {self.name}: two {what} share a name: {names}")
        for step in self.steps:
            for program in step.programs:
                self._check_host(program)
                self._check_forwarding(program)
            self._check_wire(step)
        for host in OTHER_PLACEHOLDERS.intersection(self.topology.hosts):
            raise UsageError(
                f"scenario {self.name}: a host cannot be named {host!r}, which stands for "
                "something else in a program's argv"
            )
        for claim in self.claims:
            if unknown := [step.name for step in claim.steps if step not in self.steps]:
                raise UsageError(
                    f"scenario {self.name}: claim {claim.id} is on the step {unknown[0]}, which is "
                    f"none of the scenario's; those are {', '.join(steps)}"
                )
            if fault := claim.wrong_steps():
                raise UsageError(f"scenario {self.name}: claim {claim.id}: {fault}")

        listed = {claim.check for claim in self.claims}
        for claim in self.lesson.claims if self.lesson else ():
            if claim.check not in listed:
                raise UsageError(
                    f"scenario {self.name}: its lesson rests on the claim {claim.name}, which it "
                    "does not list"
                )

    def _own(self, claim: Claim) -> Claim:
        """The claim named after the scenario."""
        if not isinstance(claim, Claim):
            raise UsageError(
                f"scenario {self.name}: {claim!r} is no claim; a check becomes one by @claim"
            )
        return replace(claim, scenario=self.name)

    def _check_host(self, program: Program) -> None:
        hosts = self.topology.hosts
        if program.host not in hosts:
            raise UsageError(
                f"scenario {self.name}: program {program.name} runs on {program.host!r}, "
                f"which is no host of the topology; those are {', '.join(hosts)}"
            )

    def _check_wire(self, step: Step) -> None:
        """Raise UsageError if a rule is wrong, or about no link of the topology."""
        if step.wire:
            from lab.wire.binding import bound

            bound(step.wire, self.topology.link_ends)

    def _check_forwarding(self, program: Program) -> None:
        """Raise UsageError if the program is given an address that is on none of its links."""
        beyond = self.topology.beyond(program.host)
        for family in Family if beyond else ():
            try:
                words = program.expanded(self.placeholders(family, "python")).argv
            except UsageError:
                continue  # not a mistake before a run needs it: it may never be of that family
            for address, host in beyond.items():
                if any(_names(word, address) for word in words):
                    raise UsageError(
                        f"scenario {self.name}: program {program.name} is given {address} of "
                        f"{host!r}, which is on none of the links of {program.host!r}, and the "
                        "topology gives it no route there"
                    )

    def check_family(self, family: Family) -> None:
        """Raise UsageError if it cannot be run over that IP version."""
        if family not in self.families:
            known = " and ".join(f"IPv{each.value}" for each in self.families)
            raise UsageError(
                f"scenario {self.name} is of {known} alone: it cannot be run over IPv{family.value}"
            )

    def placeholders(self, family: Family | None, python: str) -> dict[str, str]:
        """The values of the programs' placeholders; without a family, IPv4 addresses.

        A host that the topology gives no address of the family has none.
        """
        family = family or Family.IPV4
        addresses: dict[str, IPv4Address | IPv6Address] = {}
        fixed = {
            "python": python,
            "family": str(family.value),
            "loopback": "127.0.0.1" if family is Family.IPV4 else "::1",
        }
        for interface in reversed(list(self.topology.interfaces())):
            for address in reversed(interface.addresses):
                fixed[f"{interface.host}{address.version}"] = str(address.ip)
                if address.version == family.value:
                    addresses[interface.host] = address.ip
                if address.version == family.value and not address.is_link_local:
                    fixed[f"{interface.host}_{interface.name}"] = str(address.ip)
        for host, ip in addresses.items():
            fixed[f"{host}_url"] = f"[{ip}]" if ip.version == 6 else str(ip)
        return fixed | {host: str(address) for host, address in addresses.items()}

    def expanded_steps(self, placeholders: dict[str, str]) -> tuple[Step, ...]:
        """The steps with their programs' placeholders replaced.

        Raises UsageError for an unknown placeholder.
        """
        try:
            return tuple(step.expanded(placeholders) for step in self.steps)
        except UsageError as error:
            known = {*placeholders, *self.topology.switches}
            if bare := [host for host in self.topology.hosts if host not in known]:
                raise UsageError(f"{error}; without such an address: {', '.join(bare)}") from None
            raise


def _names(word: str, address: IPv4Address | IPv6Address) -> bool:
    """Whether a word of a command is that address, or contains it as in a URL or before a port."""
    text = str(address)
    if address.version == 6:
        return word == text or f"[{text}]" in word
    return re.search(rf"(?<![\w.]){re.escape(text)}(?![\w.])", word) is not None
