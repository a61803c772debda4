from __future__ import annotations

import ast
from dataclasses import replace

import pytest
import recorded as r
from expected import result_of

from lab.ad_hoc import AD_HOC
from lab.errors import UsageError
from lab.records import Recording
from lab.results import Result
from lab.testing.record import recorded_test


def ad_hoc(recording: Recording) -> Recording:
    return replace(recording, scenario=AD_HOC)


def tcp(result: Result) -> Result:
    return replace(result, scenario="tcp")


def test_a_scenario_s_runs_become_a_test_that_runs_it() -> None:
    text = recorded_test([tcp(result_of("tcp4")), tcp(result_of("traced-tcp4"))])
    ast.parse(text)
    assert "def test_tcp(lab):\n    result = lab.run('tcp')\n" in text
    assert "  server FIN\n" in text
    assert "result.program('client').exits(0)" in text
    assert "as it was in 2 runs" in text


def test_commands_are_run_again_with_hosts_in_braces() -> None:
    text = recorded_test([result_of("tcp4", ad_hoc)])
    assert "lab.run(server='" in text
    assert "{server}" in text
    assert "198.51.100.2" not in text


def test_a_run_over_ipv6_is_one_again() -> None:
    assert "lab.run('tcp', family=6)" in recorded_test([result_of("tcp6")])


def test_what_comes_again_is_no_matter_of_a_recorded_test() -> None:
    one, other = result_of("tcp4"), result_of("tcp4", r.repeated(6, 7))
    assert recorded_test([one]) == recorded_test([other])


def test_a_program_s_text_does_not_end_the_test_s() -> None:
    quoted = result_of("tcp4", r.changed(6, r.set_payload(b'"""; 7 ')))
    ast.parse(recorded_test([quoted]))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (r.incomplete, "gaps"),
        (r.without(*range(1, 21)), "nothing to expect"),
        (lambda rec: replace(rec, source="-"), "no file has it"),
        (
            lambda rec: replace(
                rec, programs=tuple(replace(run, failure="crashed") for run in rec.programs)
            ),
            "no run to learn from",
        ),
        (
            lambda rec: replace(
                ad_hoc(rec), programs=tuple(replace(run, name="h1") for run in rec.programs)
            ),
            "--on cannot",
        ),
    ],
)
def test_what_no_test_can_be_made_of_is_refused(edit: r.Edit, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recorded_test([result_of("tcp4", edit)])


def test_runs_of_two_scenarios_are_refused() -> None:
    other = replace(result_of("udp4"), scenario="udp")
    with pytest.raises(UsageError, match="give those of one"):
        recorded_test([result_of("tcp4"), other])
