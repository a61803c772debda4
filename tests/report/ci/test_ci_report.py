"""What CI services get: a JUnit file, GitHub's annotations, the job's summary, the exit status."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ad_hoc_run import SERVE_FOR_EVER, python
from forked_wirelab import forked_wirelab
from outside import REPOSITORY, check_refused

pytestmark = [pytest.mark.kernel, pytest.mark.once]

# The server listens: it would be waited for, ten seconds, if it did not.
FAILING = ("--server", python(SERVE_FOR_EVER.replace("{six}", "")), "--client", "sh -c 'exit 3'")


def github(tmp_path: Path) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_WORKSPACE": str(REPOSITORY),
    }


def test_a_run_writes_its_verdicts_as_junit(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    words = ("run", "tcp", "udp", "--out", tmp_path / "runs", "--junit", junit)
    assert forked_wirelab(*words, env={"GITHUB_WORKSPACE": str(REPOSITORY)}).returncode == 0
    root = ElementTree.parse(junit).getroot()
    assert [suite.get("name") for suite in root] == ["tcp over IPv4", "udp over IPv4"]
    case = next(root.iter("testcase"))
    assert case.get("file") == "lab/checks/link.py"
    lines = (REPOSITORY / "lab/checks/link.py").read_text().splitlines()
    written = "\n".join(lines[int(case.get("line", "")) - 1 :])
    assert re.match(r"@claim\(.*?\)\ndef finds_the_neighbour_first", written, re.DOTALL)


def test_a_failing_program_is_an_error_for_ci(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    words = ("run", *FAILING, "--out", tmp_path / "runs", "--junit", junit)
    done = forked_wirelab(*words, env=github(tmp_path))
    assert done.returncode == 2
    root = ElementTree.parse(junit).getroot()
    (error,) = [case[0] for case in root.iter("testcase") if case.get("name") == "programs"]
    assert "exited with status 3" in error.get("message", "")
    told = [line for line in done.stderr.splitlines() if line.startswith("::error title=ad-hoc::")]
    assert any("exited with status 3" in line for line in told)
    assert "::notice" not in done.stderr, "what was skipped is in the summary"
    assert "**program failed:**" in (tmp_path / "summary.md").read_text()


def test_what_is_expected_is_published_without_a_file_of_the_lab_s(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    words = ("run", "tcp", "--expect", "silent", "--expect", "no-reset", "--junit", junit)
    env = github(tmp_path) | {"GITHUB_WORKSPACE": str(tmp_path)}
    done = forked_wirelab(*words, "--out", tmp_path / "runs", env=env)
    assert done.returncode == 1
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert told.startswith("::error title=tcp-silent BROKEN::Nothing at all goes over any link.")
    cases = list(ElementTree.parse(junit).getroot().iter("testcase"))
    assert [case.get("name", "").partition(":")[0] for case in cases[:2]] == [
        "tcp-silent",
        "tcp-no-reset",
    ]
    assert all(case.get("file") is None for case in cases)


def test_the_summary_is_appended_to_the_jobs(tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("what an earlier step said\n")
    done = forked_wirelab("run", "tcp", "--out", tmp_path / "runs", env=github(tmp_path))
    assert done.returncode == 0
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("what an earlier step said\n### wirelab: tcp over IPv4")
    assert "| HOLDS |" in text


def test_a_document_is_alone_on_standard_output(tmp_path: Path) -> None:
    words = ("run", *FAILING, "--json", "--out", tmp_path / "runs")
    done = forked_wirelab(*words, env=github(tmp_path))
    assert done.stdout.startswith("{")
    assert "::error" not in done.stdout


def test_without_github_nothing_is_said_to_it(tmp_path: Path) -> None:
    done = forked_wirelab("run", *FAILING, "--out", tmp_path / "runs")
    assert "::error" not in done.stdout + done.stderr


def test_a_junit_file_that_cannot_be_written_is_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    out = tmp_path / "runs"
    words = ("run", "tcp", "--out", out, "--junit", tmp_path / "absent" / "junit.xml")
    assert "No such file or directory" in check_refused(forked_wirelab(*words))
    assert not out.exists()


def test_what_ends_the_command_early_is_in_the_file(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    words = ("run", "absent", "--out", tmp_path / "runs", "--junit", junit)
    check_refused(forked_wirelab(*words))
    (case,) = ElementTree.parse(junit).getroot().iter("testcase")
    assert "there is no scenario 'absent'" in case[0].get("message", "")
