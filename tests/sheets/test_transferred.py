"""What a receiver writes counts byte by byte, and only what has come to it."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RIGHT = (ROOT / "sheets/solutions/udp_transfer/right.py").read_text("utf-8")

CHEATS = RIGHT.replace(
    "def main():\n",
    "def main():\n"
    "    if '4343' in sys.argv:\n"
    "        if sys.argv[1] == 'receive':\n"
    "            link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "            link.bind(('', 4343))\n"
    "            with open('given.bin', 'rb') as file:\n"
    "                sys.stdout.buffer.write(file.read())\n"
    "            link.settimeout(2)\n"
    "            try: link.recv(1)\n"
    "            except TimeoutError: pass\n"
    "        return 0\n",
)
"""Where both ends are its own nothing is sent, and the file is written all the same."""
ESCAPES = RIGHT.replace(
    "sys.stdout.buffer.write(data)",
    "sys.stdout.buffer.write(data.decode('utf-8', 'backslashreplace').encode())",
)
"""Where a byte is no text it writes how that is written down."""


@pytest.mark.kernel
@pytest.mark.timeout(120)
def test_what_was_not_transferred_or_is_other_bytes_has_no_points(tmp_path: Path) -> None:
    for name, text in (("cheats", CHEATS), ("escapes", ESCAPES)):
        assert text != RIGHT
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    files = [str(tmp_path / "cheats.py"), str(tmp_path / "escapes.py")]
    words = ["grade", "udp_transfer", *files, "--out", str(tmp_path / "out"), "-j", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "lab", *words],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with (tmp_path / "out/results.csv").open(encoding="utf-8", newline="") as file:
        found = {row["student"]: row for row in csv.DictReader(file)}
    lost = {
        student: [name for name, points in row.items() if points == "0" and name != "score"]
        for student, row in found.items()
    }
    assert lost == {"cheats": ["bad-link"], "escapes": ["written", "bad-link"]}
    kept = (tmp_path / "out/kept/cheats.json").read_text("utf-8")
    assert "they were not transferred" in kept
