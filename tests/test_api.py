"""The lab from a Python program: runs and replays, in threads, of scenarios from anywhere."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from house import ROOT
from outside import wirelab

from lab import api
from lab.api import Outcome, Result, Scenario, Step, UsageError, demo, two_hosts
from lab.checks.tcp import opens_with_three_segments
from lab.derive import derived

TEACHERS = ROOT / "tests" / "support" / "teacher"


@pytest.fixture
def teachers(tmp_path: Path) -> Path:
    """The teacher's scenario in a folder outside the repository."""
    return Path(shutil.copytree(TEACHERS, tmp_path / "teacher")) / "relayed.py"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: api.run("tcp", family=5), "there is no IP version 5; there are 4 and 6"),
        (lambda: api.run("tcp", trace="strace"), "there is no trace 'strace'; there are: auto"),
        (
            lambda: api.run("tcp", trace="none", notes_lines=True),
            "source lines are those of system calls, and --trace none sees none",
        ),
        (lambda: api.run("tpc"), "there is no scenario 'tpc'"),
        (lambda: api.run("tcp", out="/dev/null"), "cannot write artifacts to /dev/null"),
        (lambda: api.replay("/nowhere"), "/nowhere"),
    ],
)
def test_a_mistake_is_reported_before_anything_is_run(ask: Callable[[], Result], said: str) -> None:
    with pytest.raises(UsageError) as error:
        ask()
    assert said in str(error.value)


def test_every_name_of_the_front_door_is_there() -> None:
    assert all(hasattr(api, name) for name in api.__all__)
    assert sorted(api.__all__) == list(api.__all__)
    assert (ROOT / "lab" / "py.typed").exists()


@pytest.mark.kernel
@pytest.mark.parametrize("family", [4, 6])
def test_a_teachers_three_hosts_hold(teachers: Path, family: int, tmp_path: Path) -> None:
    result = api.run(teachers, family, out=tmp_path / "runs")
    assert result.failures == ()
    assert {judgement.verdict.outcome for judgement in result.judgements} == {Outcome.HOLDS}
    assert result.outcome is Outcome.HOLDS
    assert result.recording.scenario == "relayed"
    assert len(result.recording.points) == 4
    assert [lane.host for lane in result.ladder.lanes] == ["client", "relay", "server"]
    assert result.folder.parent == tmp_path / "runs" / "relayed"


@pytest.mark.kernel
def test_a_run_is_replayed_as_it_was_judged(teachers: Path, tmp_path: Path) -> None:
    ran = api.run(str(teachers), out=tmp_path)
    again = api.replay(ran.folder)
    assert again.note.endswith(f"identical; judged by {teachers}")
    assert derived(again, "json") == derived(ran, "json")
    assert again.recording == ran.recording
    assert [j.verdict for j in again.judgements] == [j.verdict for j in ran.judgements]


@pytest.mark.kernel
def test_a_run_leaves_what_wirelab_run_leaves(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    result = api.run("tcp", out=ours)
    assert wirelab("run", "tcp", "--out", theirs).returncode == 0
    left = {path.name for path in (theirs / "tcp" / "latest").iterdir()}
    assert {"report.html", "ladder.svg", "wire.pcapng", "report.json"} < left
    assert {path.name for path in result.folder.iterdir()} == left
    page = (result.folder / "report.html").read_bytes()
    assert page == derived(api.replay(result.folder, "tcp"), "html")


@pytest.mark.kernel
def test_threads_run_at_once_and_nothing_of_the_caller_is_changed(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    threads = threading.active_count()
    with ThreadPoolExecutor(3) as pool:
        families = (4, 6, 4)
        results = list(pool.map(lambda family: api.run("tcp", family, out=tmp_path), families))
    assert [result.outcome for result in results] == [Outcome.HOLDS] * 3
    assert [result.recording.family and result.recording.family.value for result in results] == [
        *families
    ]
    assert len({result.folder for result in results}) == 3
    assert threading.active_count() == threads
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.kernel
def test_a_scenario_made_here_is_run_with_the_demos_beside_this_file(tmp_path: Path) -> None:
    made = Scenario(
        "made",
        "made in a test, with no demos",
        two_hosts(),
        (Step("only", (demo("absent", on="client"),)),),
        (opens_with_three_segments,),
    )
    result = api.run(made, out=tmp_path)
    assert result.outcome is Outcome.UNDECIDED
    assert "No such file" in result.failures[0]
    assert str(Path(__file__).parent / "demos" / "absent.py") in result.failures[0]
    with pytest.raises(UsageError, match="was made by a Python program"):
        api.replay(result.folder)
    assert derived(api.replay(result.folder, made), "json") == derived(result, "json")


@pytest.mark.kernel
def test_a_folder_named_lab_in_the_current_directory_changes_nothing(tmp_path: Path) -> None:
    """Its interpreter has the current directory in sys.path; the lab was imported before."""
    (tmp_path / "other" / "lab").mkdir(parents=True)
    (tmp_path / "other" / "lab" / "__init__.py").write_text("raise SystemExit('the wrong lab')\n")
    program = (
        f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); import lab.api; del sys.path[0]; "
        "os.chdir('other'); print(lab.api.run('tcp').outcome.value)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout) == ("", "HOLDS\n")
