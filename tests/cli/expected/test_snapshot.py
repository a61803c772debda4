from __future__ import annotations

from pathlib import Path

import pytest
from forked_wirelab import forked_wirelab
from outside import check_refused

pytestmark = pytest.mark.programs

RECORDED = Path(__file__).parents[2] / "recordings"


@pytest.mark.kernel
def test_a_snapshot_is_printed_written_and_compared_with(tmp_path: Path) -> None:
    file = tmp_path / "tcp.txt"
    words = ("run", "tcp", "-q", "--out", tmp_path / "runs", "--snapshot", file)
    assert "--update-snapshot writes it" in check_refused(forked_wirelab(*words))
    written = forked_wirelab(*words, "--update-snapshot")
    assert written.returncode == 0, written.stderr
    assert written.stdout.endswith(f"Snapshot: {file}\n")
    assert forked_wirelab("snapshot", tmp_path / "runs/tcp/latest").stdout == file.read_text(
        "utf-8"
    )
    assert forked_wirelab(*words).returncode == 0
    text = file.read_text("utf-8")
    file.write_text(text.replace("server FIN", "server RST"), "utf-8")
    changed = forked_wirelab(*words)
    assert changed.returncode == 1
    again = forked_wirelab("replay", tmp_path / "runs/tcp/latest")
    assert again.returncode == 1
    assert "where the snapshot has server RST, the conversation has server FIN" in " ".join(
        again.stdout.split()
    )


def test_a_capture_file_is_compared_with_one(tmp_path: Path) -> None:
    capture = RECORDED / "tcp4/recording.pcapng"
    file = tmp_path / "x.txt"
    file.write_text(forked_wirelab("snapshot", capture).stdout, "utf-8")
    assert forked_wirelab("check", capture, "--snapshot", file).returncode == 0
    assert (
        forked_wirelab("check", RECORDED / "udp4/recording.pcapng", "--snapshot", file).returncode
        == 1
    )


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("# nothing\n", "utf-8")
    run = ("run", "tcp", "--out", tmp_path)
    assert "is empty" in check_refused(forked_wirelab(*run, "--snapshot", empty))
    assert "goes with --snapshot" in check_refused(forked_wirelab(*run, "--update-snapshot"))
    assert "of one run" in check_refused(forked_wirelab("run", "tcp", "udp", "--snapshot", empty))
