"""Which tshark is installed: versions differ in what they say of the same frames."""

from __future__ import annotations

import re
import subprocess
from functools import cache


@cache
def tshark_version() -> tuple[int, int]:
    """(4, 0) of "TShark (Wireshark) 4.0.17 (…"."""
    said = subprocess.run(["tshark", "--version"], capture_output=True, check=True, text=True)
    found = re.match(r"TShark \(Wireshark\) (\d+)\.(\d+)", said.stdout)
    assert found is not None
    return int(found[1]), int(found[2])
