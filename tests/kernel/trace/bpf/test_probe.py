"""Whether BPF programs can be had here: the kernel is asked."""

from __future__ import annotations

import os
import subprocess
import sys

import denied
import pytest
from outside import environment

from lab.kernel.trace.bpf.probe import probe_program, why_no_bpf

HELPERS = {112, 113, 158, 208}
CALL = 0x85


def test_each_helper_without_which_nothing_is_recorded_is_called() -> None:
    code = probe_program()
    instructions = [code[at : at + 8] for at in range(0, len(code), 8)]
    called = [int.from_bytes(each[4:], "little") for each in instructions if each[0] == CALL]
    assert set(called) == HELPERS


@pytest.mark.kernel
@pytest.mark.skipif(os.geteuid() != 0, reason="BPF programs are root's")
def test_root_can_have_them_here() -> None:
    assert why_no_bpf() == ""


ASK = "from lab.kernel.trace.bpf.probe import why_no_bpf; print(why_no_bpf())"


@pytest.mark.kernel
def test_where_the_kernel_refuses_it_says_so() -> None:
    command = [sys.executable, denied.__file__, "bpf", "--", sys.executable, "-P", "-c", ASK]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment() | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    said = "load the BPF program wirelab_probe: EPERM (Operation not permitted)"
    assert done.stdout.startswith(said), done.stderr
    assert "root's own capabilities are needed" in done.stdout
