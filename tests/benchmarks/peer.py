"""The peer to measure against: Debian's Mininet, in the same run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
# Mininet starts programs by name; sudo and cron may have a shorter path.
PATH = "/usr/local/sbin:/usr/sbin:/sbin:" + os.environ["PATH"]
DEBIAN_PYTHON = "/usr/bin/python3"


def why_no_mininet() -> str:
    """ "" where Mininet can be run, else the reason it cannot."""
    if os.geteuid() != 0:
        return "Mininet needs root"
    probe = subprocess.run(
        [DEBIAN_PYTHON, "-c", "import mininet.net"], capture_output=True, check=False
    )
    if probe.returncode:
        return "Mininet is not installed (apt-get install mininet)"
    if shutil.which("brctl", path=PATH) is None:
        return "Mininet's Linux bridges need brctl (apt-get install bridge-utils)"
    return ""


def mininet(script: str, *arguments: str) -> str:
    """The standard output of one of the scripts beside this file.

    Raises CalledProcessError.
    """
    command = [DEBIAN_PYTHON, str(HERE / script), *arguments]
    environment = os.environ | {"PATH": PATH}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout
