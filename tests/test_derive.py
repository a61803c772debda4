from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from house import ROOT
from scenes import recorded_result

from lab.derive import FORMATS, derived, why_no_pages, write_derived, write_pages
from lab.errors import UsageError
from lab.report.document.report import report_document

RECORDINGS = Path(__file__).parent / "recordings"


@pytest.mark.parametrize("form", FORMATS)
def test_a_run_has_the_same_report_each_time(form: str) -> None:
    result = recorded_result("traced-unix4" if form == "unix" else "tcp4")
    assert derived(result, form) == derived(result, form) != b""


def test_each_format_is_what_it_says() -> None:
    result = recorded_result("tcp4")
    assert derived(result, "html").startswith(b"<!doctype html>")
    assert ET.fromstring(derived(result, "svg")).tag.endswith("svg")
    assert json.loads(derived(result, "json")) == json.loads(
        json.dumps(report_document(result.timelines, result.judgements))
    )
    assert ET.fromstring(derived(result, "junit")).tag == "testsuites"
    assert derived(result, "md").startswith(b"### wirelab: tcp over IPv4")


def test_the_documentation_has_every_format() -> None:
    listed = re.findall(r"\[--format ([^]]+)\]", (ROOT / "docs" / "command.md").read_text("utf-8"))
    assert [each.split("|") for each in listed] == [list(FORMATS)]
    assert len({each.file for each in FORMATS.values()}) == len(FORMATS)


def test_a_folder_gets_its_pages(tmp_path: Path) -> None:
    write_pages(replace(recorded_result("tcp4"), folder=tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ladder.svg",
        "report.html",
        "wire.pcapng",
    ]


WRITE_PREPARED = """
import dataclasses, sys
from pathlib import Path
from lab.run import judged
from lab.derive import derived, prepare_pages, write_pages
result = dataclasses.replace(judged(sys.argv[1]), folder=Path(sys.argv[2]))
derived(result, "json"), result.ladders
prepare_pages()
before = set(sys.modules)
write_pages(result)
print(sorted(set(sys.modules) - before))
"""


@pytest.mark.programs
def test_once_prepared_pages_are_written_without_another_import(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE_PREPARED, str(RECORDINGS / "traced-tcp4"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert (tmp_path / "report.html").exists()


def test_the_pages_of_many_events_wait_until_they_are_asked_for() -> None:
    timelines = recorded_result("traced-tcp4").timelines
    assert why_no_pages(timelines, Path("runs/x")) == ""
    assert why_no_pages(timelines * 1000, Path("runs/x")) == (
        "45,000 events: `wirelab report runs/x` writes report.html"
    )


def test_a_run_without_unix_sockets_has_no_packets_of_theirs() -> None:
    with pytest.raises(UsageError, match="no traced call sent or read through a unix socket"):
        derived(recorded_result("tcp4"), "unix")


@pytest.mark.parametrize(
    ("form", "dissector", "said"),
    [
        ("wire", "http", "--unix-as is for --format unix"),
        ("unix", "ht tp", "ht tp is no dissector's name"),
        ("unix", "http\n", r"http\\n is no dissector's name"),
    ],
)
def test_a_dissector_is_for_unix_sockets_alone(form: str, dissector: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        derived(recorded_result("traced-unix4"), form, dissector)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*nowhere"):
        write_derived(recorded_result("tcp4"), "md", tmp_path / "nowhere" / "x.md")
