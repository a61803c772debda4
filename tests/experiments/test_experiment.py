"""What is run of an experiment."""

from __future__ import annotations

from lab.experiments.experiment import Experiment


def test_two_programs_stand_on_two_hosts() -> None:
    scenario = Experiment("x", "print('{server}')\n", "serve()", deadline_s=3).scenario
    (step,) = scenario.steps
    server, client = step.programs
    assert (server.host, client.host) == ("server", "client")
    assert client.argv == ("{python}", "-IS", "-c", "print('{server}')")
    assert server.listens is not None
    assert client.deadline_s == 3


def test_without_a_server_the_client_runs_alone() -> None:
    (step,) = Experiment("x", "pass").scenario.steps
    assert [program.name for program in step.programs] == ["client"]


def test_in_a_network_they_stand_at_its_ends() -> None:
    scenario = Experiment("x", "pass", "serve()", topology="chain:3").scenario
    (step,) = scenario.steps
    assert [program.host for program in step.programs] == ["h3", "h1"]
    assert "h2" in scenario.topology.hosts
