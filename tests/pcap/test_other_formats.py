from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from captured import fault_of

from lab.pcap.other_formats import remedy


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap is not installed")
@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("snoop", "snoop"),
        ("ngsniffer", "DOS Sniffer"),
        ("ngwsniffer_2_0", "Windows Sniffer"),
        ("netmon1", "Network Monitor 1"),
        ("netmon2", "Network Monitor 2"),
        ("lanalyzer", "LANalyzer"),
        ("5views", "5View"),
        ("visual", "Visual Networks"),
        ("nettl", "nettl"),
        ("observer", "Observer"),
        ("k12text", "K12"),
        ("commview-ncf", "its first bytes are"),
    ],
)
def test_a_file_of_another_format_is_named_with_what_converts_it(
    kind: str, named: str, tmp_path: Path
) -> None:
    data = struct.pack("<I2H4I", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    data += struct.pack("<4I", 1_700_000_000, 0, 60, 60) + bytes(60)
    (tmp_path / "in").write_bytes(data)
    command = ["editcap", "-F", kind, str(tmp_path / "in"), str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True)
    message = fault_of((tmp_path / "out").read_bytes())
    assert message.startswith("not a pcap or pcapng capture: ")
    assert named in message
    assert message.endswith("`editcap -F pcapng some.cap OUT.pcapng` converts it")


@pytest.mark.parametrize(
    ("first", "command"),
    [
        (b"\x28\xb5\x2f\xfd", "zstd -dc"),
        (b"\x04\x22\x4d\x18", "lz4 -dc"),
        (b"\xfd7zXZ\0", "xz -dc"),
        (b"BZh9", "bzip2 -dc"),
    ],
)
def test_a_compressed_file_is_named_with_what_decompresses_it(first: bytes, command: str) -> None:
    message = fault_of(first + bytes(40))
    assert message.endswith(f"`{command} some.cap | wirelab show -` shows it")


def test_a_name_that_is_no_plain_word_is_quoted_and_one_for_no_line_is_not_written() -> None:
    assert "`xz -dc 'my file' | " in remedy(b"\xfd7zXZ\0", "my file")
    assert "`xz -dc FILE | " in remedy(b"\xfd7zXZ\0", "-")
    assert "`xz -dc FILE | " in remedy(b"\xfd7zXZ\0", "a\x1b[31m")
