"""A small program that goes wrong, or two, and what they need around them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from lab.ad_hoc import ad_hoc_network, ad_hoc_scenario
from lab.frozen import frozen
from lab.model.family import Family
from lab.model.scenario import Scenario
from lab.scenario_files import topology_called


@frozen
class Experiment:
    """What is run to show a cause. Programs are Python, in which wirelab fills in {server} etc."""

    cause: str
    """Its name: "no-route"."""
    client: str
    server: str = ""
    """Runs beside it, and is waited for until it listens or can be sent to; "" for none."""
    family: Family = Family.IPV4
    wire: tuple[str, ...] = ()
    """Rules, as --wire has them."""
    sysctls: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Settings, as --sysctl has them."""
    capabilities: tuple[str, ...] = ()
    """More than programs of anybody's usually have."""
    unix: str = ""
    """The unix socket that the server is waited for at."""
    topology: str = ""
    """The network, whose last host has the server and whose first the client; "" for two hosts."""
    waits: bool = True
    deadline_s: float = 4.0

    @property
    def scenario(self) -> Scenario:
        """What is run. Raises UsageError."""
        server, client = (
            shlex.join(("{python}", "-IS", "-c", code.strip())) if code else None
            for code in (self.server, self.client)
        )
        assert client is not None
        if self.topology and server is not None:
            network = topology_called(self.topology)
            hosts = [host for host in network.hosts if host not in network.switches]
            commands = [(hosts[-1], server), (hosts[0], client)]
            return ad_hoc_network(network, commands, deadline_s=self.deadline_s)
        return ad_hoc_scenario(
            server, client, unix=self.unix, deadline_s=self.deadline_s, waits=self.waits
        )
