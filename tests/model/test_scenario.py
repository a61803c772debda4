from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from event_ids import event

from lab.errors import UsageError
from lab.model.claim import Claim, holds
from lab.model.family import Family
from lab.model.layout import laid_out
from lab.model.program import Program, Step
from lab.model.scenario import Scenario
from lab.model.topology import Topology, in_a_row, joined_pair, two_hosts
from scenarios import tcp
from scenarios.tcp import SCENARIO

DEMOS = Path(tcp.__file__).parent / "demos"

CLAIM = Claim("holds", "X holds.", "RFC 1", lambda _: holds("so", [event("f1")]))
COMPARED = Claim("alike", "Alike.", "RFC 1", lambda one, other: holds("so", [event("f1")]))
ONLY = Step("only", ())
ROW = in_a_row("a", "b", "c")
PROGRAM = Program("echo", "client", ("true",))


def scenario(topology: Topology, *programs: Program, claims: tuple[Claim, ...] = ()) -> Scenario:
    return Scenario("x", "an example", topology, (Step("only", programs),), claims)


def test_placeholders_stand_for_the_interpreter_the_family_and_the_hosts() -> None:
    placeholders = SCENARIO.placeholders(Family.IPV6, "python3")
    assert (placeholders["python"], placeholders["family"]) == ("python3", "6")
    assert (placeholders["client"], placeholders["server"]) == ("2001:db8::1", "2001:db8::2")
    assert placeholders["loopback"] == "::1"
    assert (placeholders["client_url"], placeholders["server_url"]) == (
        "[2001:db8::1]",
        "[2001:db8::2]",
    )
    assert SCENARIO.placeholders(Family.IPV4, "")["server_url"] == "198.51.100.2"


def test_each_interface_of_a_host_has_a_placeholder() -> None:
    topology = laid_out([("h", "r"), ("h", "s"), ("r", "s")], routers=("r",))
    given = scenario(topology, replace(PROGRAM, host="h")).placeholders(Family.IPV6, "")
    assert (given["h_eth0"], given["h_eth1"]) == ("2001:db8::2", "2001:db8:0:1::1")
    given = scenario(topology, replace(PROGRAM, host="h")).placeholders(Family.IPV4, "")
    assert (given["h_eth0"], given["h_eth1"]) == ("198.18.0.2", "198.18.1.1")


def test_programs_expand_with_their_scenarios_placeholders() -> None:
    placeholders = SCENARIO.placeholders(Family.IPV4, "python3")
    (step,) = SCENARIO.expanded_steps(placeholders)
    assert step.name == "conversation"
    assert step.programs[0].argv == (
        "python3", "-IS", str(DEMOS / "inet_stream_server.py"), "198.51.100.2", "4242",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (
            lambda: scenario(two_hosts(), replace(PROGRAM, host="elsewhere")),
            "program echo runs on 'elsewhere', which is no host",
        ),
        (
            lambda: scenario(two_hosts(), PROGRAM, PROGRAM),
            "two programs share a name: ['echo', 'echo']",
        ),
        (
            lambda: scenario(two_hosts(), claims=(CLAIM, CLAIM)),
            "two claims share a name: ['x-holds', 'x-holds']",
        ),
        (
            lambda: Scenario("x", "", two_hosts(), (Step("a", ()), Step("a", ())), ()),
            "two steps share a name: ['a', 'a']",
        ),
        (
            lambda: scenario(two_hosts(), claims=(CLAIM.on(Step("absent", ())),)),
            "claim x-holds is on the step absent, which is none of the scenario's; those are only",
        ),
        (
            lambda: scenario(two_hosts(), claims=(COMPARED,)),
            "claim x-alike: its check takes (one, other), and the steps given are: none",
        ),
        (
            lambda: scenario(two_hosts(), claims=(CLAIM.on(ONLY, ONLY),)),
            "claim x-holds: its check takes (_), and the steps given are: only, only",
        ),
        (
            lambda: scenario(two_hosts(), claims=(CLAIM.check,)),  # type: ignore[arg-type]
            "is no claim; a check becomes one by @claim",
        ),
        (
            lambda: scenario(ROW, replace(PROGRAM, host="a", argv=("nc", "{c}", "80"))),
            "program echo is given 198.18.0.6 of 'c', which is on none of the links of 'a', and "
            "the topology gives it no route there",
        ),
        (
            lambda: scenario(ROW, replace(PROGRAM, host="a", argv=("curl", "http://{c_url}:80/"))),
            "given 198.18.0.6 of 'c'",
        ),
        (
            lambda: scenario(ROW, replace(PROGRAM, host="a", argv=("nc", "{c6}"))),
            "given 2001:db8:0:1::2 of 'c'",
        ),
        (
            lambda: scenario(ROW, replace(PROGRAM, host="c", argv=("nc", "198.18.0.2", "80"))),
            "given 198.18.0.2 of 'b', which is on none of the links of 'c'",
        ),
        (lambda: scenario(joined_pair("python", "b")), "a host cannot be named 'python'"),
        (lambda: scenario(joined_pair("a", "family")), "a host cannot be named 'family'"),
        (lambda: scenario(joined_pair("a", "loopback")), "a host cannot be named 'loopback'"),
    ],
)
def test_a_mistake_of_the_author_is_reported_with_the_scenarios_name(
    build: Callable[[], Scenario], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        build()
    assert said in str(error.value)
    assert "scenario x" in str(error.value)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "a b", "ä"])
def test_a_name_that_is_no_folders_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="its name is its runs' folder"):
        Scenario(name, "an example", two_hosts(), (), ())


def test_a_host_without_an_address_has_no_placeholder_and_is_named() -> None:
    topology = laid_out([("a", "b")], without_address=("a",))
    given = scenario(topology).placeholders(Family.IPV4, "python3")
    assert given["b"] == "198.51.100.2"
    assert not given.keys() & {"a", "a4", "a6", "a_eth0", "a_url"}
    asking = scenario(topology, Program("p", "b", ("ping", "{a}")))
    with pytest.raises(UsageError, match=r"unknown placeholder 'a' .*; without such an address: a"):
        asking.expanded_steps(given)


def test_an_address_of_a_router_is_not_its_link_local_one() -> None:
    topology = laid_out([("a", "r"), ("r", "b")], routers=("r",))
    given = scenario(topology).placeholders(Family.IPV6, "python3")
    assert (given["r"], given["r6"], given["r4"]) == ("2001:db8::1", "2001:db8::1", "198.18.0.1")


def test_a_scenario_may_be_of_one_family_alone() -> None:
    only = replace(scenario(two_hosts()), families=(Family.IPV4,))
    only.check_family(Family.IPV4)
    with pytest.raises(UsageError, match="scenario x is of IPv4 alone: it cannot be run over IPv6"):
        only.check_family(Family.IPV6)
    for family in Family:
        scenario(two_hosts()).check_family(family)


def test_a_scenarios_claims_are_named_after_it() -> None:
    first, second = Step("first", (PROGRAM,)), Step("second", ())
    claims = (CLAIM, replace(CLAIM, name="later").on(second))
    made = Scenario("x", "an example", two_hosts(), (first, second), claims)
    assert [claim.id for claim in made.claims] == ["x-holds", "x-later"]
    assert [claim.step_names for claim in made.claims] == [(), ("second",)]
    assert replace(made, summary="again").claims == made.claims


def test_a_step_is_meant_by_its_value() -> None:
    with pytest.raises(UsageError, match="is on the step only, which is none"):
        scenario(two_hosts(), PROGRAM, claims=(CLAIM.on(ONLY),))


@pytest.mark.parametrize(
    ("host", "argv"),
    [
        ("a", ("nc", "{b}", "80")),
        ("b", ("nc", "{c}", "{a_url}", "{b6}")),
        ("c", ("nc", "{c}", "198.18.0.5", "198.18.0.20", "1198.18.0.2")),
        ("a", ("nc", "{nobody}", "{")),
    ],
)
def test_an_address_on_a_link_of_the_programs_host_needs_no_forwarding(
    host: str, argv: tuple[str, ...]
) -> None:
    made = scenario(ROW, replace(PROGRAM, host=host, argv=argv))
    assert made.steps[0].programs[0].argv == argv
