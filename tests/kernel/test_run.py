"""The command from end to end: runs, replays, shows, and how each of them fails."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from outside import (
    NOBODY,
    command,
    environment,
    marked,
    wait_until,
    wait_until_gone,
    wirelab,
)

from lab.recording import load_recording, save_recording
from lab.records import Recording
from lab.run import scenario_names

FAMILIES = ("4", "6")
ESCAPE = "\x1b"
ALL_HOLD = re.compile(r"^(\d+) claims: \1 HOLDS\.$", re.MULTILINE)
# For a shell both are 130. CPython 3.11 prefers the signal where KeyboardInterrupt has passed
# through an exec() of text, such as a dataclass's, even when it was caught in the end.
INTERRUPTED = (128 + signal.SIGINT, -signal.SIGINT)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of one run of tcp for each family."""
    folders = {}
    for family in FAMILIES:
        out = tmp_path_factory.mktemp(f"ipv{family}")
        done = wirelab("run", "tcp", "--family", family, "--out", out)
        assert done.returncode == 0, done.stderr
        folders[family] = (out / "tcp" / "latest").resolve()
    return folders


@pytest.fixture
def copied(runs: dict[str, Path], tmp_path: Path) -> Path:
    """A run's folder to damage."""
    return Path(shutil.copytree(runs["4"], tmp_path / "copied"))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def check_refused(done: subprocess.CompletedProcess[str], status: int = 2) -> str:
    """The message of a command that was refused: one or two lines, nothing else."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("wirelab: ")
    assert done.stderr.endswith("\n")
    assert len(done.stderr.splitlines()) <= 2
    assert done.stdout == ""
    return done.stderr


# run


@pytest.mark.parametrize("family", FAMILIES)
def test_every_claim_of_tcp_holds(runs: dict[str, Path], family: str) -> None:
    report = json.loads((runs[family] / "report.json").read_text())
    assert report["verdict"] == "HOLDS"
    assert {claim["verdict"] for claim in report["claims"]} == {"HOLDS"}
    assert report["scenario"] == "tcp"
    assert str(report["family"]) == family


@pytest.mark.parametrize("family", FAMILIES)
def test_the_capture_of_a_run_was_alive_and_whole(runs: dict[str, Path], family: str) -> None:
    capture = json.loads((runs[family] / "report.json").read_text())["capture"]
    canaries = capture["canaries"]
    assert capture["dropped"] == 0
    assert capture["blind"] == []
    assert capture["unfinished"] == []
    assert canaries["sent"] == canaries["seen"] > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_the_report_has_its_parts(runs: dict[str, Path], family: str) -> None:
    report = json.loads((runs[family] / "report.json").read_text())
    assert set(report) >= {
        "schema", "scenario", "family", "started", "kernel", "instruments", "capture",
        "programs", "events", "flows", "claims", "verdict",
    }  # fmt: skip
    frames = [event for event in report["events"] if event["kind"] == "frame"]
    assert {"id", "sent_ns", "received_ns", "from", "to", "bytes", "summary"} <= set(frames[0])
    (flow,) = report["flows"]
    assert {"id", "a", "b", "frames", "handshake", "options", "teardown"} <= set(flow)
    known = {event["id"] for event in report["events"]}
    for claim in report["claims"]:
        assert {"id", "text", "source", "statements", "verdict", "why", "evidence"} == set(claim)
        assert set(claim["evidence"]) <= known
    assert set(flow["frames"]) <= known


def test_both_families_are_run_one_after_the_other(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "--family", "both", "--out", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(ALL_HOLD.findall(done.stdout)) == 2
    four, six = sorted(path for path in (tmp_path / "tcp").iterdir() if not path.is_symlink())
    assert (load_recording(four).family.value, load_recording(six).family.value) == (4, 6)
    assert (tmp_path / "tcp" / "latest").resolve() == six


def test_the_artifacts_are_there(runs: dict[str, Path]) -> None:
    folder = runs["4"]
    latest = folder.parent / "latest"
    assert {"recording.pcapng", "recording.jsonl", "report.json"} <= names_in(folder)
    assert latest.is_symlink()
    assert str(latest.readlink()) == folder.name


def test_the_same_scenario_twice_is_two_runs(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "tcp", "--out", tmp_path)
    assert done.returncode == 0
    assert len([path for path in (tmp_path / "tcp").iterdir() if not path.is_symlink()]) == 2


def test_json_is_the_report_file(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", "--json", "--out", tmp_path)
    assert done.returncode == 0
    assert done.stdout == (tmp_path / "tcp" / "latest" / "report.json").read_text()


def test_a_run_says_where_its_artifacts_are_from_any_folder(tmp_path: Path) -> None:
    done = wirelab("run", "tcp", cwd=tmp_path)
    assert done.returncode == 0
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("Artifacts: "))
    assert (tmp_path / line.removeprefix("Artifacts: ") / "report.json").is_file()
    assert names_in(tmp_path) == {"runs"}


# replay


def test_a_replay_writes_the_same_report(copied: Path) -> None:
    report = (copied / "report.json").read_bytes()
    (copied / "report.json").unlink()
    done = wirelab("replay", copied, "--json")
    assert done.returncode == 0
    assert (copied / "report.json").read_bytes() == report
    assert done.stdout.encode() == report


@pytest.mark.parametrize("family", FAMILIES)
def test_a_replay_prints_what_the_run_printed(
    runs: dict[str, Path], family: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = wirelab("run", "tcp", "--family", family, "--out", out)
    replayed = wirelab("replay", out / "tcp" / "latest")
    printed = [
        [line for line in done.stdout.splitlines() if not line.startswith("Artifacts: ")]
        for done in (ran, replayed)
    ]
    assert printed[0] == printed[1]
    assert len(printed[0]) > 50


@pytest.fixture
def as_nobody() -> list[str]:
    """What makes a command one of an ordinary user's, where this is root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if wirelab("list", as_user=prefix).returncode != 0:
        pytest.skip(f"uid {NOBODY} cannot read the lab")
    return prefix


@pytest.fixture
def anyones_folder(as_nobody: list[str]) -> Iterator[Path]:
    """A folder of that user's: tmp_path is for the user who runs the tests alone."""
    with tempfile.TemporaryDirectory(prefix="wirelab-test-") as name:
        if as_nobody:
            os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_ordinary_user_replays_a_run_with_the_same_report(
    runs: dict[str, Path], family: str, as_nobody: list[str], anyones_folder: Path
) -> None:
    folder = Path(shutil.copytree(runs[family], anyones_folder / "copied"))
    report = (folder / "report.json").read_bytes()
    (folder / "report.json").unlink()
    if as_nobody:
        os.chown(folder, NOBODY, NOBODY)
    done = wirelab("replay", folder, as_user=as_nobody)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "report.json").read_bytes() == report


def test_an_ordinary_user_runs_with_the_same_verdicts(
    as_nobody: list[str], anyones_folder: Path
) -> None:
    done = wirelab(
        "run", "tcp", "--family", "both", "--out", anyones_folder, as_user=as_nobody,
        env={"HOME": str(anyones_folder)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert len(ALL_HOLD.findall(done.stdout)) == 2
    assert "privilege: user namespace" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="for root only: gives files to another user")
def test_under_sudo_the_artifacts_belong_to_the_user_who_called(tmp_path: Path) -> None:
    caller = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
    out = tmp_path / "a" / "b"
    assert wirelab("run", "tcp", "--out", out, env=caller).returncode == 0
    made = [tmp_path / "a", *(tmp_path / "a").rglob("*")]
    assert len(made) == 8
    assert {path.lstat().st_uid for path in made} == {NOBODY}
    assert {path.lstat().st_gid for path in made} == {NOBODY}


def edited(folder: Path, edit: Callable[[Recording], Recording]) -> Path:
    save_recording(edit(load_recording(folder)), folder, {})
    return folder


def test_a_lost_byte_breaks_a_claim(copied: Path) -> None:
    def lose_a_byte(recording: Recording) -> Recording:
        ending = b"or so I think.\n"
        frames = tuple(
            replace(f, data=f.data[:-1] + b"?") if f.data.endswith(ending) else f
            for f in recording.frames
        )
        assert sum(a != b for a, b in zip(frames, recording.frames, strict=True)) == 2
        return replace(recording, frames=frames)

    done = wirelab("replay", edited(copied, lose_a_byte))
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
    report = json.loads((copied / "report.json").read_text())
    broken = {claim["id"] for claim in report["claims"] if claim["verdict"] == "BROKEN"}
    assert broken == {"tcp-bytes", "tcp-checksums"}
    assert report["verdict"] == "BROKEN"


def test_a_missing_canary_leaves_everything_undecided(copied: Path) -> None:
    def lose_a_canary(recording: Recording) -> Recording:
        payload = recording.canaries[-1].payload
        kept = tuple(f for f in recording.frames if f.data[14:] != payload)
        assert len(kept) == len(recording.frames) - 2
        return replace(recording, frames=kept)

    done = wirelab("replay", edited(copied, lose_a_canary))
    assert done.returncode == 4
    report = json.loads((copied / "report.json").read_text())
    assert {claim["verdict"] for claim in report["claims"]} == {"UNDECIDED"}
    assert "BLIND" in done.stdout


def test_dropped_frames_leave_everything_undecided(copied: Path) -> None:
    def drop(recording: Recording) -> Recording:
        first, *rest = recording.points
        return replace(
            recording, points=(replace(first, frames=first.frames + 1, dropped=1), *rest)
        )

    done = wirelab("replay", edited(copied, drop))
    assert done.returncode == 4
    assert "the kernel dropped 1 frames at client/eth0" in done.stdout


# what is printed


@pytest.mark.parametrize("family", FAMILIES)
def test_ascii_is_ascii(runs: dict[str, Path], family: str) -> None:
    folder = runs[family]
    for words in (("replay", folder), ("show", folder / "recording.pcapng")):
        assert wirelab(*words, "--ascii").stdout.isascii()


def test_without_ascii_there_is_more(runs: dict[str, Path]) -> None:
    assert "▶" in wirelab("replay", runs["4"]).stdout


def test_an_output_that_cannot_take_more_than_ascii_gets_ascii(runs: dict[str, Path]) -> None:
    done = wirelab("replay", runs["4"], env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_line_is_longer_than_the_terminal_is_wide(
    runs: dict[str, Path], family: str, columns: int
) -> None:
    env = {"COLUMNS": str(columns)}
    for words in (("replay", runs[family]), ("show", runs[family] / "recording.pcapng")):
        lines = wirelab(*words, env=env).stdout.splitlines()
        # A path is not cut: it is there to be copied.
        lengths = {len(line) for line in lines if not line.startswith("Artifacts: ")}
        assert columns - 10 < max(lengths) <= columns


def test_a_pipe_gets_no_escape_sequences(runs: dict[str, Path]) -> None:
    for words in (("replay", runs["4"]), ("show", runs["4"] / "recording.pcapng"), ("list",)):
        assert ESCAPE not in wirelab(*words, env={"TERM": "xterm-256color"}).stdout


def on_a_terminal(*words: str | Path, **env: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*words),
        cwd="/",
        env=environment(TERM="xterm-256color", **env),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
    )
    os.close(theirs)
    data = b""
    with process:
        while True:
            try:
                chunk = os.read(ours, 1 << 16)
            except OSError:  # EIO: the other end is closed
                break
            if not chunk:
                break
            data += chunk
    os.close(ours)
    assert process.returncode == 0
    return data.decode()


def test_a_terminal_gets_colours_unless_no_color_is_set(runs: dict[str, Path]) -> None:
    coloured = on_a_terminal("replay", runs["4"], COLUMNS="80")
    plain = on_a_terminal("replay", runs["4"], COLUMNS="80", NO_COLOR="1")
    assert "\x1b[1;32mHOLDS" in coloured
    assert ESCAPE not in plain


def test_a_reader_that_leaves_is_no_error(runs: dict[str, Path]) -> None:
    for words in (("replay", runs["4"]), ("list",), ("run", "tcp", "--out", runs["4"] / "more")):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            command(*words), stdout=write, stderr=subprocess.PIPE, env=environment(), cwd="/"
        )
        os.close(write)
        assert done.stderr == b""
        assert done.returncode == 128 + signal.SIGPIPE


def test_head_gets_its_line(runs: dict[str, Path]) -> None:
    shell = f'"$0" -m lab replay "{runs["4"]}" | head -1'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable], capture_output=True, text=True, env=environment()
    )
    assert done.stdout.startswith("tcp over IPv4: ")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_an_output_that_is_full_is_told_in_one_line(runs: dict[str, Path]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("replay", runs["4"]),
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), cwd="/",
        )  # fmt: skip
    assert done.stderr == "wirelab: cannot write to standard output: No space left on device\n"
    assert done.returncode == 2


def test_a_closed_output_is_no_crash(runs: dict[str, Path]) -> None:
    shell = f'"$0" -m lab replay "{runs["4"]}" >&-'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable], capture_output=True, text=True, env=environment()
    )
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


# refused


def test_an_unknown_scenario_is_refused_with_those_there_are(tmp_path: Path) -> None:
    message = check_refused(wirelab("run", "tcp", "tpc", "--out", tmp_path))
    assert "'tpc'" in message
    assert all(name in message for name in scenario_names())
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


def test_replaying_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "holds no recording" in check_refused(wirelab("replay", tmp_path))


def test_replaying_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "nothing" in check_refused(wirelab("replay", tmp_path / "nothing"))


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"null\n", b"[1]\n", b"\xff\xfe", b'{"kind": "run"}\n'],
    ids=["empty", "half", "null", "list", "not UTF-8", "fields missing"],
)
def test_replaying_a_damaged_account_is_refused(copied: Path, damage: bytes) -> None:
    (copied / "recording.jsonl").write_bytes(damage)
    assert "recording.jsonl" in check_refused(wirelab("replay", copied))


@pytest.mark.parametrize("cut", [2, 300, None])
@pytest.mark.parametrize("name", ["recording.jsonl", "recording.pcapng"])
def test_replaying_a_truncated_file_is_refused(copied: Path, name: str, cut: int | None) -> None:
    size = (copied / name).stat().st_size
    os.truncate(copied / name, 0 if cut is None else size - cut)
    assert name in check_refused(wirelab("replay", copied))


def test_replaying_without_the_frames_is_refused(copied: Path) -> None:
    (copied / "recording.pcapng").unlink()
    assert "recording.pcapng: no such file" in check_refused(wirelab("replay", copied))


def test_replaying_with_another_runs_frames_is_refused(copied: Path, tmp_path: Path) -> None:
    edited(copied, lambda recording: replace(recording, frames=recording.frames[:-1]))
    fewer = (copied / "recording.pcapng").read_bytes()
    whole = Path(shutil.copytree(copied, tmp_path / "other"))
    edited(whole, lambda recording: replace(recording, frames=recording.frames[:-1]))
    (whole / "recording.pcapng").write_bytes(fewer)
    assert "recorded with" in check_refused(wirelab("replay", whole))


def test_replaying_an_unknown_scenarios_recording_is_refused(copied: Path) -> None:
    edited(copied, lambda recording: replace(recording, scenario="gone"))
    assert "there is no scenario 'gone'" in check_refused(wirelab("replay", copied))


@pytest.mark.parametrize("kept", [None, 0, 3, 30, 1000])
def test_showing_what_is_no_whole_capture_is_refused(copied: Path, kept: int | None) -> None:
    file = copied / "recording.pcapng"
    if kept is None:
        file.unlink()
    else:
        os.truncate(file, kept)
    assert str(file) in check_refused(wirelab("show", file))


@pytest.mark.parametrize("content", [b"garbage\n" * 100, bytes(1000), b"\x1f\x8bgarbage"])
def test_showing_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(content)
    assert str(file) in check_refused(wirelab("show", file))


def test_showing_a_folder_is_refused(tmp_path: Path) -> None:
    assert "directory" in check_refused(wirelab("show", tmp_path))


def test_a_demo_that_fails_is_told_in_one_line(other_scenarios: Path, marker: str) -> None:
    demo = other_scenarios / "scenarios" / "demos" / "inet_stream_client.py"
    demo.write_text("raise SystemExit('the demo is broken')\n")
    message = check_refused(wirelab("run", "tcp", cwd=other_scenarios))
    assert "program client" in message
    assert "exited with status 1; its stderr ends: the demo is broken" in message
    assert not (other_scenarios / "runs").exists()


def test_a_demo_that_is_missing_is_told_in_one_line(other_scenarios: Path, marker: str) -> None:
    (other_scenarios / "scenarios" / "demos" / "inet_stream_server.py").unlink()
    message = check_refused(wirelab("run", "tcp", cwd=other_scenarios))
    assert "program server" in message
    assert "No such file" in message


def test_a_word_that_is_unknown_is_told_in_one_line(other_scenarios: Path, marker: str) -> None:
    scenario = other_scenarios / "scenarios" / "tcp.py"
    scenario.write_text(scenario.read_text().replace("{server}", "{srever}"))
    assert "srever" in check_refused(wirelab("run", "tcp", cwd=other_scenarios))


# interrupted


def interrupted(folder: Path, when: Callable[[int], object], marker: str) -> tuple[int, str]:
    """Status and stderr of a run that gets Ctrl-C once `when(pid)` is true."""
    process = subprocess.Popen(
        command("run", "tcp"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: process.poll() is not None or when(process.pid))
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=5)
    wait_until_gone(marker)
    return process.returncode, stderr


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_ctrl_c_during_a_run_ends_everything(
    other_scenarios: Path, marker: str, processes: int
) -> None:
    """In the opening of the sandbox, in the building, and while a program hangs."""
    demo = other_scenarios / "scenarios" / "demos" / "inet_stream_client.py"
    demo.write_text("import select; select.select([], [], [])\n")
    status, stderr = interrupted(
        other_scenarios, lambda _: len(marked(marker)) >= processes, marker
    )
    assert status in INTERRUPTED
    assert stderr == "wirelab: interrupted\n"


@pytest.mark.parametrize("delay_ms", [120, 160, 200, 240, 280])
def test_ctrl_c_at_any_moment_gives_no_traceback(
    tmp_path: Path, marker: str, delay_ms: int
) -> None:
    process = subprocess.Popen(
        command("run", "tcp"), cwd=tmp_path, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    pidfd = os.pidfd_open(process.pid)
    select.select([pidfd], [], [], delay_ms / 1000)
    os.close(pidfd)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=5)
    wait_until_gone(marker)
    if stderr:
        assert stderr == "wirelab: interrupted\n"
        assert process.returncode in INTERRUPTED
    else:  # all was done: it ended, or was about to
        assert process.returncode in (0, -signal.SIGINT)
        assert (tmp_path / "runs" / "tcp" / "latest" / "report.json").is_file()


# the other commands


def test_list_names_every_scenario_with_its_summary() -> None:
    done = wirelab("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert tuple(line.split()[0] for line in done.stdout.splitlines()) == scenario_names()
    assert all(len(line.split()) > 1 for line in done.stdout.splitlines())


def test_doctor_finds_that_the_lab_can_run_here() -> None:
    done = wirelab("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "MISSING" not in done.stdout
    assert any("a sandbox opens" in line for line in done.stdout.splitlines())


def test_doctor_says_the_same_of_an_ordinary_user(
    as_nobody: list[str], anyones_folder: Path
) -> None:
    done = wirelab("doctor", as_user=as_nobody, env={"HOME": str(anyones_folder)})
    assert (done.returncode, done.stderr) == (0, "")
    assert "a sandbox opens (user, mount, pid and network namespaces)" in done.stdout


@pytest.mark.parametrize("words", [(), ("run",), ("replay",), ("show",), ("list",), ("doctor",)])
def test_help_is_a_success(words: tuple[str, ...]) -> None:
    done = wirelab(*words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {' '.join(('wirelab', *words))}")


@pytest.mark.parametrize(
    "words", [(), ("rnu",), ("run",), ("run", "tcp", "--family", "5"), ("replay",), ("show",)]
)
def test_wrong_usage_is_refused(words: tuple[str, ...]) -> None:
    done = wirelab(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: wirelab")
    assert "Traceback" not in done.stderr


def test_help_tells_every_exit_status() -> None:
    told = wirelab("--help").stdout.partition("exit status:")[2]
    assert [int(line.split()[0]) for line in told.splitlines() if line.strip()[:1].isdigit()] == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip
