"""Two commands as a scenario: words, braces, ports and paths."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.ad_hoc import ad_hoc_network, ad_hoc_scenario, recorded_scenario
from lab.errors import UsageError
from lab.model.family import Family
from lab.model.program import Listening, Program
from lab.model.shapes import dumbbell, star


def programs(
    server: str = "true",
    client: str = "true",
    port: int | None = None,
    unix: str = "",
    family: Family = Family.IPV4,
) -> tuple[Program, Program]:
    """The two programs as they are run."""
    scenario = ad_hoc_scenario(server, client, port=port, unix=unix)
    (step,) = scenario.expanded_steps(scenario.placeholders(family, "/usr/bin/python3"))
    first, second = step.programs
    return first, second


def client_argv(command: str, **settings: object) -> tuple[str, ...]:
    return programs(client=command, **settings)[1].argv  # type: ignore[arg-type]


def test_the_server_is_awaited_and_may_serve_for_ever_the_client_may_not() -> None:
    server, client = programs("nc -l 1", "nc {server} 1")
    assert (server.name, server.host, server.serves) == ("server", "server", True)
    assert (client.name, client.host, client.serves) == ("client", "client", False)
    assert server.listens == Listening()
    assert client.listens is None


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("nc {server} {port}", ("nc", "198.51.100.2", "4242")),
        ("curl http://{server_url}:{port}/", ("curl", "http://198.51.100.2:4242/")),
        ("a {client} {family} {loopback}", ("a", "198.51.100.1", "4", "127.0.0.1")),
        ("{python} -c 'print({{}})'", ("/usr/bin/python3", "-c", "print({{}})")),
        ("cat '{unix}'", ("cat", "/run/wirelab/ad-hoc.sock")),
        ("awk '{print $1}'", ("awk", "{print $1}")),
        ("sh -c 'echo ${server} ${x}'", ("sh", "-c", "echo ${server} ${x}")),
        ("a {} {0} { } }{ {server.x} {server!r} {server:d}",
         ("a", "{}", "{0}", "{", "}", "}{", "{server.x}", "{server!r}", "{server:d}")),
        ("a '{demos} {addr} {host} {h1}'", ("a", "{demos} {addr} {host} {h1}")),
        ("sh 'ports=1; f({ports})'", ("sh", "ports=1; f({ports})")),
        ('a "b c" d\\ e', ("a", "b c", "d e")),
    ],
)  # fmt: skip
def test_known_words_are_replaced_and_other_braces_stay(
    command: str, argv: tuple[str, ...]
) -> None:
    assert client_argv(command) == argv


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("nc {serverr} {port}", "server"),
        ("nc {sever} 4242", "server"),
        ("nc {server} {prot}", "port"),
        ("curl http://{severurl}:{port}/", "server_url"),
        ("python3 -c 'connect((\"{Server}\", 1))'", "server"),
    ],
)
def test_a_word_that_is_nearly_known_is_said_with_the_known_one(command: str, word: str) -> None:
    with pytest.raises(UsageError, match=rf"--client has .* did you mean \{{{word}\}}\?"):
        ad_hoc_scenario(None, command)


def test_an_address_in_a_url_is_in_brackets_over_ipv6_alone() -> None:
    argv = client_argv("a {server} {server_url} {client_url}", family=Family.IPV6)
    assert argv == ("a", "2001:db8::2", "[2001:db8::2]", "[2001:db8::1]")


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_command_without_known_words_is_run_as_it_is(words: list[str]) -> None:
    known = ("{server", "{client", "{port", "{unix", "{family", "{python", "{loopback")
    if not any(word in text for word in known for text in words):
        assert client_argv(shlex.join(words)) == tuple(words)


@pytest.mark.parametrize(
    ("server", "client", "port", "unix", "listening"),
    [
        ("a", "b", None, "", Listening()),
        ("a {port}", "b", None, "", Listening(4242)),
        ("a", "b {port}", None, "", Listening(4242)),
        ("a", "b", 80, "", Listening(80)),
        ("a {port}", "b", 80, "", Listening(80)),
        ("a", "b {unix}", None, "", Listening(None, "/run/wirelab/ad-hoc.sock")),
        ("a", "b", None, "x", Listening(None, "/run/wirelab/x")),
        ("a", "b", None, "/tmp/x", Listening(None, "/tmp/x")),
        ("a", "b", None, "@x", Listening(None, "@x")),
        ("a {unix}", "b {port}", 80, "{x}", Listening(80, "/run/wirelab/{x}")),
    ],
)
def test_what_the_server_is_awaited_at(
    server: str, client: str, port: int | None, unix: str, listening: Listening
) -> None:
    assert programs(server, client, port, unix)[0].listens == listening


def test_a_paths_braces_are_its_own() -> None:
    assert client_argv("cat {unix}", unix="{server}") == ("cat", "/run/wirelab/{server}")


def test_a_run_for_a_unix_socket_speaks_no_ip_and_watches_every_device() -> None:
    over_ip, over_unix = ad_hoc_scenario("a", "b"), ad_hoc_scenario("a", "b", unix="x")
    assert (over_ip.speaks_ip, over_ip.captures_loopback) == (True, True)
    assert (over_unix.speaks_ip, over_unix.captures_loopback) == (False, True)


def test_the_deadline_is_the_clients() -> None:
    (step,) = ad_hoc_scenario("a", "b", deadline_s=2.5).steps
    assert step.programs[1].deadline_s == 2.5


def test_a_recording_is_judged_by_the_same_claims() -> None:
    assert recorded_scenario().claims == ad_hoc_scenario("a", "b", unix="c").claims
    assert all(claim.despite_failures for claim in recorded_scenario().claims)


@pytest.mark.parametrize("command", ["", "  ", "'", '"a', "a \\"])
def test_what_is_no_command_is_refused(command: str) -> None:
    with pytest.raises(UsageError, match="--server"):
        ad_hoc_scenario(command, "true")
    with pytest.raises(UsageError, match="--client"):
        ad_hoc_scenario("true", command)


@pytest.mark.parametrize(
    ("listening", "text"),
    [
        (Listening(), "any TCP or UDP port"),
        (Listening(80), "TCP or UDP port 80"),
        (Listening(80, "/run/x"), "/run/x"),
    ],
)
def test_what_is_awaited_reads_well(listening: Listening, text: str) -> None:
    assert str(listening) == text


def test_the_server_has_the_deadline_to_listen_as_well() -> None:
    (step,) = ad_hoc_scenario("nc -l {port}", "true", deadline_s=25).steps
    server, client = step.programs
    assert server.listens == Listening(4242, deadline_s=25)
    assert client.deadline_s == server.deadline_s == 25


def test_a_client_alone_is_one_program() -> None:
    (step,) = ad_hoc_scenario(None, "nc {server} {port}").steps
    assert [program.name for program in step.programs] == ["client"]


def test_without_waiting_nothing_is_awaited() -> None:
    (step,) = ad_hoc_scenario("a {port}", "b {port}", waits=False, linger_s=3).steps
    server, client = step.programs
    assert server.listens is client.listens is None
    assert (server.serves, server.linger_s) == (True, 3)


def on(*commands: tuple[str, str], **settings: object) -> tuple[Program, ...]:
    """Programs on a dumbbell, as they are run."""
    scenario = ad_hoc_network(dumbbell(4), commands, **settings)  # type: ignore[arg-type]
    (step,) = scenario.expanded_steps(scenario.placeholders(Family.IPV6, "python3"))
    return step.programs


def test_the_first_of_a_network_serves_the_others_which_are_named_after_their_hosts() -> None:
    found = on(("h3", "nc -l {port}"), ("h1", "nc {h3} {port}"), ("h1", "curl {h3_url}"))
    assert [(each.name, each.host, each.serves) for each in found] == [
        ("h3", "h3", True), ("h1", "h1", False), ("h1-2", "h1", False),
    ]  # fmt: skip
    assert [each.listens for each in found] == [Listening(4242), None, None]
    assert found[1].argv == ("nc", "2001:db8:0:2::2", "4242")
    assert found[2].argv == ("curl", "[2001:db8:0:2::2]")


def test_one_program_of_a_network_runs_alone_and_none_is_waited_for_if_not_wanted() -> None:
    (alone,) = on(("r1", "ping -c1 {h1}"))
    assert (alone.serves, alone.listens) == (False, None)
    assert [each.listens for each in on(("h1", "true"), ("h2", "true"), waits=False)] == [None] * 2


def test_a_host_of_no_network_has_no_address() -> None:
    assert on(("h1", "echo {server} {h9}"))[0].argv == ("echo", "{server}", "{h9}")


@pytest.mark.parametrize("host", ["s1", "h5", ""])
def test_programs_run_on_hosts_and_routers_of_the_topology_alone(host: str) -> None:
    with pytest.raises(UsageError, match=f"--on {host}: the topology has the hosts h1, h2, r1"):
        on((host, "true"))


def test_a_program_of_a_network_is_given_addresses_that_it_can_reach() -> None:
    scenario = ad_hoc_network(star(3), [("h1", "curl {h2}")])
    assert scenario.topology == star(3)
    assert scenario.placeholders(Family.IPV4, "python3")["h2"] == "198.51.100.2"
