from __future__ import annotations

import os
from dataclasses import replace

import pytest
from step_programs import python, run

from lab.errors import UsageError
from lab.kernel.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.kernel


OPEN_RAW = """
import socket
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    print("opened")
except PermissionError:
    print("refused")
"""


def test_only_a_program_that_keeps_a_capability_has_it(sandbox: Sandbox) -> None:
    keeping = replace(python(OPEN_RAW, "keeping"), capabilities=("CAP_NET_RAW",))
    found = run(sandbox, python(OPEN_RAW, "first"), keeping, python(OPEN_RAW, "last")).programs
    others = "opened\n" if os.geteuid() == 0 else "refused\n"
    assert [one.stdout for one in found] == [others, "opened\n", others]


def test_an_unknown_capability_is_refused_by_name(sandbox: Sandbox) -> None:
    with pytest.raises(UsageError, match="'CAP_NET_ROW'; did you mean 'CAP_NET_RAW'"):
        run(sandbox, replace(python(""), capabilities=("CAP_NET_ROW",)))
