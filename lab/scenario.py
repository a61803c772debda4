"""What a person writes: a topology, programs and claims, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from lab.analysis.claims import Claim
from lab.errors import UsageError
from lab.program import Program
from lab.records import Family
from lab.topology import Topology

OTHER_WORDS = frozenset({"python", "demos", "family"})
"""Words of a program's argv that stand for no host."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """An experiment: who is there, what they run, and what must turn out to be true.

    Raises UsageError where two programs or claims share a name, or a host has one that
    cannot be its own.
    """

    name: str
    summary: str
    topology: Topology
    programs: tuple[Program, ...]
    claims: tuple[Claim, ...]

    def __post_init__(self) -> None:
        hosts = self.topology.hosts
        for host in OTHER_WORDS.intersection(hosts):
            raise UsageError(
                f"scenario {self.name}: a host cannot be named {host!r}, which stands for "
                "something else in a program's argv"
            )
        programs: set[str] = set()
        for program in self.programs:
            if program.host not in hosts:
                raise UsageError(
                    f"scenario {self.name}: program {program.name} runs on {program.host!r}, "
                    f"which is no host of the topology; those are {', '.join(hosts)}"
                )
            if program.name in programs:
                raise UsageError(f"scenario {self.name}: two programs are named {program.name!r}")
            programs.add(program.name)
        claims = [claim.id for claim in self.claims]
        for claim in claims:
            if claims.count(claim) > 1:
                raise UsageError(f"scenario {self.name}: two claims have the id {claim!r}")

    def words(self, family: Family, python: str, demos: str) -> dict[str, str]:
        """What the programs' `{words}` stand for."""
        addresses: dict[str, IPv4Address | IPv6Address] = {
            host: self.topology.address(host, family) for host in self.topology.hosts
        }
        fixed = {"python": python, "demos": demos, "family": str(family.value)}
        return fixed | {host: str(address) for host, address in addresses.items()}
