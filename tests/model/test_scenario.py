from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lab.errors import UsageError
from lab.model.claim import Claim, holds
from lab.model.family import Family
from lab.model.program import Program, Step
from lab.model.scenario import Scenario
from lab.model.topology import Topology, joined_pair, two_hosts
from scenarios.tcp import SCENARIO

CLAIM = Claim("x-holds", "X holds.", "RFC 1", lambda _: holds("so"))
PROGRAM = Program("echo", "client", ("true",))


def scenario(topology: Topology, *programs: Program, claims: tuple[Claim, ...] = ()) -> Scenario:
    return Scenario("x", "an example", topology, (Step("only", programs),), claims)


def test_words_stand_for_the_interpreter_the_demos_the_family_and_the_hosts() -> None:
    words = SCENARIO.words(Family.IPV6, "python3", "/demos")
    assert (words["python"], words["demos"], words["family"]) == ("python3", "/demos", "6")
    assert (words["client"], words["server"]) == ("2001:db8::1", "2001:db8::2")
    assert words["loopback"] == "::1"
    assert (words["client_url"], words["server_url"]) == ("[2001:db8::1]", "[2001:db8::2]")
    assert SCENARIO.words(Family.IPV4, "", "")["server_url"] == "198.51.100.2"


def test_programs_expand_with_their_scenarios_words() -> None:
    words = SCENARIO.words(Family.IPV4, "python3", "demos")
    (step,) = SCENARIO.expanded_steps(words)
    assert step.name == "conversation"
    assert step.programs[0].argv == (
        "python3", "-IS", "demos/inet_stream_server.py", "198.51.100.2", "4242",
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
            lambda: scenario(two_hosts(), claims=(replace(CLAIM, steps=("absent",)),)),
            "claim x-holds is on step {'absent'}",
        ),
        (lambda: scenario(joined_pair("python", "b")), "a host cannot be named 'python'"),
        (lambda: scenario(joined_pair("a", "family")), "a host cannot be named 'family'"),
        (lambda: scenario(joined_pair("demos", "b")), "a host cannot be named 'demos'"),
        (lambda: scenario(joined_pair("a", "loopback")), "a host cannot be named 'loopback'"),
    ],
)
def test_a_mistake_of_the_author_is_told_with_the_scenarios_name(
    build: Callable[[], Scenario], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        build()
    assert said in str(error.value)
    assert "scenario x" in str(error.value)


def test_a_host_without_an_address_of_the_family_is_named() -> None:
    lonely = scenario(Topology(("a",), ()))
    with pytest.raises(UsageError, match="gives 'a' no IPv4 address"):
        lonely.words(Family.IPV4, "python3", "demos")
