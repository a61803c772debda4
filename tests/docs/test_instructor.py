"""The notes for who teaches: what they say that a change of the programs shows, it shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from house import ROOT
from outside import wirelab

from lab.new_scenario import write_scenario

LISTENS = "socket.create_server((address, port), family=domain) as listener:\n"
BOUND = "socket.socket(domain) as listener:\n        listener.bind((address, port))\n"


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        (
            {"recv(100)": "recv(4)", "if not data": "if data"},
            ("BROKEN     Each TCP connection is not reset.", "threw away 17 bytes of 21"),
        ),
        ({LISTENS: BOUND}, ("Nobody listens on", "and never called listen()")),
        ({"if not data": "if data"}, ("BROKEN     The server answers in capitals.",)),
        ({"recv(100)": "recv(4)"}, ("6 claims: 6 HOLDS",)),
    ],
    ids=["reads-too-little", "does-not-listen", "closes-too-early", "loop-reads-on"],
)
def test_a_changed_program_shows_what_the_solutions_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], shown: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    _, server, _ = write_scenario("hello")
    text = server.read_text("utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    server.write_text(text, "utf-8")
    run = wirelab("run", "hello", "--expect", "no-reset", cwd=tmp_path)
    said = " ".join(run.stdout.split())
    for words in shown:
        assert " ".join(words.split()) in said, run.stdout + run.stderr


def test_the_notes_name_those_changes() -> None:
    notes = (ROOT / "docs" / "instructor.md").read_text("utf-8")
    for words in ("`recv(4)` and `if data`", "listener.bind((address, port))", "create_server("):
        assert words in notes
