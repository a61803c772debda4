"""Links taken apart: where their halves lead, and what stays as it was."""

from __future__ import annotations

from lab.kernel.links.splice import spliced
from lab.model.shapes import star
from lab.model.topology import Topology, joined_pair, two_hosts


def test_a_link_leads_through_one_more_host() -> None:
    topology = two_hosts()
    (link,) = topology.links
    after, host, (splice,) = spliced(topology, {link.name})
    assert after.hosts == ("client", "server", host)
    assert [each.name for each in after.links] == [
        f"client/eth0--{host}/w0a", f"{host}/w0b--server/eth0",
    ]  # fmt: skip
    assert (splice.link, splice.near.name, splice.far.name) == (link, "w0a", "w0b")
    assert not splice.near.addresses and not splice.far.addresses
    assert {each.mtu_bytes for each in after.links} == {link.mtu_bytes}


def test_other_links_stay_as_they_are() -> None:
    topology = star(3)
    wanted = topology.links[1]
    after, _, splices = spliced(topology, {wanted.name})
    assert [splice.link for splice in splices] == [wanted]
    assert set(topology.links) - set(after.links) == {wanted}
    assert (after.switches, after.routes) == (topology.switches, topology.routes)


def test_without_wires_nothing_is_changed() -> None:
    topology = two_hosts()
    assert spliced(topology, ()) == (topology, "", ())


def test_the_hosts_name_is_nobodys() -> None:
    topology = joined_pair("wires", "wires_")
    after, host, _ = spliced(topology, {topology.links[0].name})
    assert isinstance(after, Topology)
    assert host == "wires__" and after.hosts[-1] == host
