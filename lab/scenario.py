"""What a person writes: a topology, programs and claims, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from lab.analysis.claims import Claim
from lab.program import Program
from lab.records import Family
from lab.topology import Topology

@dataclass(frozen=True, slots=True)
class Scenario:
    """An experiment: who is there, what they run, and what must turn out to be true."""

    name: str
    summary: str
    topology: Topology
    programs: tuple[Program, ...]
    claims: tuple[Claim, ...]

    def words(self, family: Family, python: str, demos: str) -> dict[str, str]:
        """What the programs' `{words}` stand for."""
        addresses: dict[str, IPv4Address | IPv6Address] = {
            host: self.topology.address(host, family) for host in self.topology.hosts
        }
        fixed = {"python": python, "demos": demos, "family": str(family.value)}
        return fixed | {host: str(address) for host, address in addresses.items()}
