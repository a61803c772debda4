from __future__ import annotations

import json
import os
import re
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from outside import (
    NOBODY,
    OWN_SCENARIOS,
    check_refused,
    names_in,
    wirelab,
)

from lab.recording.storage import load_recording
from lab.scenario_files import builtin_scenarios

pytestmark = pytest.mark.kernel


ALL_HOLD = re.compile(r"^HOLDS +(\d+) claims: \1 HOLDS$", re.MULTILINE)


def test_both_families_are_run_one_after_the_other(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "--family", "both", "--out", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(ALL_HOLD.findall(done.stdout)) == 2
    four, six = sorted(path for path in (tmp_path / "tcp").iterdir() if not path.is_symlink())
    assert (load_recording(four).family.value, load_recording(six).family.value) == (4, 6)
    assert (tmp_path / "tcp" / "latest").resolve() == six


def test_a_scenario_of_one_family_is_run_over_that_and_refused_over_the_other(
    tmp_path: Path,
) -> None:
    done = wirelab("run", "dhcp", "--family", "both", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(ALL_HOLD.findall(done.stdout)) == 1
    refused = wirelab("run", "dhcp", "--family", "6", "--out", tmp_path)
    assert "dhcp is of IPv4 alone: it cannot be run over IPv6" in check_refused(refused)


def test_the_same_scenario_twice_is_two_runs(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "tcp", "--out", tmp_path)
    assert done.returncode == 0
    assert len([path for path in (tmp_path / "tcp").iterdir() if not path.is_symlink()]) == 2


def test_json_is_the_report_file(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "--json", "--out", tmp_path)
    assert done.returncode == 0
    assert done.stdout == (tmp_path / "tcp" / "latest" / "report.json").read_text()


def test_json_of_several_runs_is_one_document(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "udp", "--json", "--out", tmp_path)
    assert done.returncode == 0
    files = [tmp_path / name / "latest" / "report.json" for name in ("tcp", "udp")]
    document = json.loads(done.stdout)
    assert document["schema"] == "wirelab.runs/1"
    assert document["runs"] == [json.loads(file.read_text()) for file in files]


@pytest.mark.parametrize("words", [("--family", "both"), ("--family", "4")])
def test_json_is_a_document_of_runs_by_what_was_typed(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Not by how often the scenario is run: `buffers` is run once for both IP versions."""
    done = wirelab("run", "buffers", *words, "--json", "--out", tmp_path)
    document = json.loads(done.stdout)
    report = document["runs"][0] if "both" in words else document
    assert report == json.loads((tmp_path / "buffers/latest/report.json").read_text())


def test_a_run_says_where_its_artifacts_are_from_any_folder(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", cwd=tmp_path)
    assert done.returncode == 0
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("Artifacts: "))
    assert (tmp_path / line.removeprefix("Artifacts: ") / "report.json").is_file()
    assert names_in(tmp_path) == {"runs"}


def test_an_ordinary_user_runs_with_the_same_verdicts(
    as_sandboxing_nobody: tuple[str, ...], anyones_folder: Path
) -> None:
    done = wirelab(
        "run", "tcp", "--family", "both", "--out", anyones_folder, as_user=as_sandboxing_nobody,
        env={"HOME": str(anyones_folder)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert len(ALL_HOLD.findall(done.stdout)) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="for root only: gives files to another user")
def test_under_sudo_the_artifacts_belong_to_the_user_who_called(tmp_path: Path) -> None:
    caller = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
    out = tmp_path / "a" / "b"
    assert wirelab("run", "tcp", "--out", out, env=caller).returncode == 0
    made = [tmp_path / "a", *(tmp_path / "a").rglob("*")]
    assert {"recording.jsonl", "wire.pcapng", "report.html"} < {each.name for each in made}
    assert {path.lstat().st_uid for path in made} == {NOBODY}
    assert {path.lstat().st_gid for path in made} == {NOBODY}


def test_an_unknown_scenario_is_refused_with_those_there_are(tmp_path: Path) -> None:
    message = check_refused(wirelab("run", "tcp", "tpc", "--out", tmp_path))
    assert "'tpc'" in message
    assert all(name in message for name in builtin_scenarios())
    assert names_in(tmp_path) == set()  # tcp has not been run


def test_out_on_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for out in (file, file / "below"):
        message = check_refused(wirelab("run", "tcp", "--out", out))
        assert f"cannot write artifacts to {out}" in message


@pytest.mark.parametrize("out", ["/proc/wirelab", "/sys/wirelab"])
def test_out_where_nobody_can_write_is_refused(out: str) -> None:
    message = check_refused(wirelab("run", "tcp", "--out", out))
    assert f"cannot write artifacts to {out}" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_out_that_is_not_writable_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    message = check_refused(wirelab("run", "tcp", "--out", tmp_path / "runs"))
    assert f"{tmp_path} is not writable" in message


def check_failed(done: CompletedProcess[str], line: str) -> None:
    """A run that a program spoilt: said at once, nothing decided, and all of it kept."""
    assert done.returncode == 2
    assert done.stderr == ""
    head = " ".join(done.stdout.partition("\n\n")[0].split())
    assert line in head
    assert "HOLDS" not in done.stdout.partition("Claims")[2]
    assert "UNDECIDED" in done.stdout


def test_a_demo_that_fails_is_reported_in_one_line(other_scenarios: Path, marker: str) -> None:
    demo = other_scenarios / "scenarios" / "demos" / "inet_stream_client.py"
    demo.write_text("raise SystemExit('the demo is broken')\n")
    done = wirelab("run", "tcp", *OWN_SCENARIOS, cwd=other_scenarios)
    check_failed(done, "program client exited with status 1; its stderr ends: the demo is broken")
    folder = other_scenarios / "runs" / "tcp" / "latest"
    replayed = wirelab("replay", folder, *OWN_SCENARIOS, cwd=other_scenarios)
    assert replayed.returncode == 2
    assert "identical" in replayed.stdout


def test_a_demo_that_is_missing_is_reported_in_one_line(other_scenarios: Path, marker: str) -> None:
    (other_scenarios / "scenarios" / "demos" / "inet_stream_server.py").unlink()
    done = wirelab("run", "tcp", *OWN_SCENARIOS, cwd=other_scenarios)
    check_failed(done, "program client was not started, since server never became ready")
    assert "No such file" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (\n", "scenarios/tcp.py, line 1: '(' was never closed"),
        ("import nothere\n", "scenarios/tcp.py, line 1: cannot be loaded: ModuleNotFoundError"),
        ("SCENARIO = 3\n", "scenarios/tcp.py: SCENARIO is no Scenario"),
        ("", "scenarios/tcp.py: there is no SCENARIO in it"),
    ],
)
def test_a_scenario_that_cannot_be_loaded_is_refused(
    other_scenarios: Path, text: str, said: str
) -> None:
    (other_scenarios / "scenarios" / "tcp.py").write_text(text)
    assert said in check_refused(wirelab("run", "tcp", *OWN_SCENARIOS, cwd=other_scenarios))
    listed = wirelab("list", *OWN_SCENARIOS, cwd=other_scenarios)
    assert listed.returncode == 2
    assert said in listed.stderr
    assert "udp " in listed.stdout


def test_sysctls_of_the_hosts_are_set_recorded_and_said(tmp_path: Path) -> None:
    done = wirelab(
        "run", "tcp", "--sysctl", "net.ipv4.tcp_timestamps=0", "--sysctl",
        "server:-net.ipv4.tcp_no_such_thing=1", "--json", "--out", tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [(each["host"], each["name"], each["value"]) for each in document["sysctls"]] == [
        ("client", "net.ipv4.tcp_timestamps", "0"),
        ("server", "net.ipv4.tcp_timestamps", "0"),
        ("server", "net.ipv4.tcp_no_such_thing", None),
    ]
    assert [flow["options"]["timestamps"] for flow in document["flows"]] == [False]
    again = wirelab("replay", next((tmp_path / "tcp").glob("2*")), "-v")
    assert "sysctl of client: net.ipv4.tcp_timestamps = 0" in again.stdout


def test_a_sysctl_that_this_kernel_has_not_ends_the_run(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "--sysctl", "net.ipv4.tcp_sac=0", "--out", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no sysctl net.ipv4.tcp_sac" in done.stderr
    assert "did you mean 'tcp_sack'?" in done.stderr
    assert not list(tmp_path.rglob("report.json"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--snap", "64"), "frames were cut to 64 bytes, as was asked"),
        (("--max-frames", "20"), "the captures ended after 20 frames, as was asked"),
    ],
)
def test_a_capture_of_less_decides_nothing_and_says_why(
    tmp_path: Path, words: tuple[str, str], said: str
) -> None:
    done = wirelab("run", "tcp", "--trace", "none", *words, "--json", "--out", tmp_path)
    assert done.returncode == 4, done.stderr
    claims = json.loads(done.stdout)["claims"]
    assert {each["verdict"] for each in claims} == {"UNDECIDED", "SKIPPED"}
    for claim in claims:
        assert claim["verdict"] == "SKIPPED" or said in claim["why"]


def test_frames_cut_behind_their_headers_decide_what_goes_by_headers(tmp_path: Path) -> None:
    words = ("run", "tcp", "--trace", "none", "--snap", "80", "--json", "--out", tmp_path)
    done = wirelab(*words)
    assert done.returncode == 4, done.stderr
    verdict_of = {
        each["id"]: each["verdict"]
        for each in json.loads(done.stdout)["claims"]
        if each["verdict"] != "SKIPPED"
    }
    undecided = {"tcp-bytes", "tcp-boundaries", "tcp-checksums"}
    assert {id for id, verdict in verdict_of.items() if verdict == "UNDECIDED"} == undecided
    assert verdict_of.keys() - undecided >= {"tcp-opens", "tcp-options", "tcp-closes"}
    assert {verdict_of[id] for id in verdict_of.keys() - undecided} == {"HOLDS"}


def test_a_ring_of_one_mebibyte_is_enough_for_a_conversation(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "--trace", "none", "--ring", "1", "--out", tmp_path)
    assert done.returncode == 0, done.stdout
