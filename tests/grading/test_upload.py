from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import CaptureFileError
from lab.grading import upload
from lab.grading.upload import load_upload

TALK = (Path(__file__).parents[1] / "recordings/tcp4/recording.pcapng").read_bytes()
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def refusal(path: Path | str) -> str:
    with pytest.raises(CaptureFileError) as refused:
        load_upload(str(path))
    return str(refused.value)


def written(folder: Path, data: bytes, name: str = "talk.pcap") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_capture_is_read_compressed_or_not(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    capture = load_upload(str(written(tmp_path, pack(TALK))))
    capture.tcp().handshake().closes_with_fin(by="198.51.100.1")
    assert str(tmp_path) not in "".join(capture.drawn()[2])


def test_what_is_no_capture_is_refused_without_its_folder(tmp_path: Path) -> None:
    for data in (b"", b"x", b"PK\3\4", b"\x1f\x8b", TALK[:7]):
        said = refusal(written(tmp_path, data))
        assert said.startswith("cannot read talk.pcap")
        assert str(tmp_path) not in said


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "in/folder").mkdir(parents=True)
    for path in (tmp_path / "fifo", tmp_path / "in", "/dev/zero"):
        assert "no regular file" in refusal(path)
    assert refusal(tmp_path / "zero") == "cannot read zero: it is a symbolic link"
    assert "No such file" in refusal(tmp_path / "none")
    assert "null" in refusal("a\0b")


def test_of_a_folder_the_only_file_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "submission"
    folder.mkdir()
    said = "cannot read submission: there is no file in it; hand in one capture"
    assert refusal(folder) == said
    written(folder, TALK)
    written(folder, b"what a system leaves", ".DS_Store")
    for path in (str(folder), f"{folder}/"):
        load_upload(path).tcp().handshake()
    written(folder, TALK, "other.pcap")
    assert "it has several files, other.pcap, talk.pcap among them" in refusal(folder)


def test_what_is_refused_in_a_folder_is_said_by_its_name(tmp_path: Path) -> None:
    written(tmp_path, b"hello")
    assert refusal(tmp_path).startswith("cannot read talk.pcap: not a pcap or pcapng capture")
    (tmp_path / "talk.pcap").unlink()
    (tmp_path / "link\x1b.pcap").symlink_to("/etc/passwd")
    said = refusal(tmp_path)
    assert said.endswith("it is a symbolic link") and "\x1b" not in said


def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, TALK)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    assert "Permission denied" in refusal(path)


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "MOST_BYTES", 1 << 20)
    packet = struct.pack("<IIII", 1, 0, 1 << 16, 1 << 16) + bytes(1 << 16)
    assert "more than 1 MiB" in refusal(written(tmp_path, PCAP + packet * 17))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    packet = struct.pack("<IIII", 1, 0, 1 << 16, 1 << 16) + bytes(1 << 16)
    bomb = gzip.compress(PCAP + packet * 300)
    assert len(bomb) < 1 << 16
    assert "more than 16 MiB" in refusal(written(tmp_path, bomb))


def test_a_bomb_that_is_no_capture_is_refused(tmp_path: Path) -> None:
    assert "not a pcap" in refusal(written(tmp_path, gzip.compress(bytes(1 << 25))))


def test_too_many_frames_are_refused(tmp_path: Path) -> None:
    packet = struct.pack("<IIII", 1, 0, 14, 14) + bytes(14)
    assert "10,001 frames" in refusal(written(tmp_path, PCAP + packet * 10_001))
    assert len(load_upload(str(written(tmp_path, PCAP + packet * 10))).shown.crossings) == 10


def test_a_name_is_no_command_to_a_terminal(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, b"x", "\x1b[2J<b>.pcap")).isprintable()


@examples(60)
@given(data=st.data())
def test_damage_is_refused_or_leaves_a_doubt(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    length = data.draw(st.integers(0, len(TALK) - 1))
    path = written(tmp_path_factory.mktemp("cut"), TALK[:length])
    try:
        capture = load_upload(str(path))
    except CaptureFileError:
        return
    assert capture.shown.capture.broken or length in _ends_of_blocks()


def _ends_of_blocks() -> set[int]:
    ends, at = set(), 0
    while at < len(TALK):
        at += struct.unpack_from("<I", TALK, at + 4)[0]
        ends.add(at)
    return ends
