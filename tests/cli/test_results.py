from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from results import result_with

from lab.cli.results import collect, command_as_typed, families, print_report, reports
from lab.derive import derived
from lab.model.family import Family


def options(*, json: bool = False, ascii: bool = True) -> Namespace:
    return Namespace(json=json, ascii=ascii, quiet=False, verbose=False, no_pager=False)


@pytest.mark.parametrize(
    ("choice", "found"),
    [("4", [Family.IPV4]), ("6", [Family.IPV6]), ("both", [Family.IPV4, Family.IPV6])],
)
def test_a_choice_stands_for_versions(choice: str, found: list[Family]) -> None:
    assert families(choice) == found


def test_a_report_is_drawn_or_is_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    result = result_with({})
    print_report(result, options())
    drawn = capsys.readouterr().out
    assert result.heading in drawn and "Artifacts: runs/x" in drawn
    assert drawn.isascii()
    print_report(result, options(json=True))
    assert json.loads(capsys.readouterr().out) == json.loads(derived(result, "json"))


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("./wirelab", "./wirelab"),
        ("wirelab", "wirelab"),
        ("my lab/wirelab", "'my lab/wirelab'"),
        ("lab/__main__.py", "wirelab"),
    ],
)
def test_a_report_ends_with_the_command_that_judges_it_again_as_it_was_typed(
    typed: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [typed])
    print_report(result_with({}), options())
    assert capsys.readouterr().out.splitlines()[-1] == f"Judge it again: {shown} replay runs/x"


def test_a_command_that_path_has_is_shown_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "wirelab"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(script)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert command_as_typed() == str(script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_as_typed() == "wirelab"


def test_several_documents_are_one_and_several_reports_are_several(
    capsys: pytest.CaptureFixture[str],
) -> None:
    both = [result_with({}), result_with({}, family=6)]
    with reports(options(json=True), several=True) as present:
        for result in both:
            present(result)
    document = json.loads(capsys.readouterr().out)
    assert document["runs"] == [json.loads(derived(result, "json")) for result in both]
    with reports(options(), several=True) as present:
        for result in both:
            present(result)
    drawn = capsys.readouterr().out
    assert all(result.heading in drawn for result in both)


def test_with_junit_the_results_are_written_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    result = result_with({})
    file = tmp_path / "junit.xml"
    assert collect(iter([result]), None) == [result]
    assert list(tmp_path.iterdir()) == []
    assert collect(iter([result]), str(file)) == [result]
    assert [suite.get("name") for suite in ElementTree.parse(file).getroot()] == ["tcp over IPv4"]
