from __future__ import annotations

import ctypes
import errno
import os
import socket
from pathlib import Path

import pytest

from lab.errors import KernelRefused
from lab.kernel.system import libc


def test_a_refusal_names_the_attempt_and_the_errno() -> None:
    with pytest.raises(KernelRefused) as error:
        libc.setns(-1, libc.CLONE_NEWNET, "cannot enter a namespace")
    assert str(error.value) == "cannot enter a namespace: EBADF (Bad file descriptor)"
    assert isinstance(error.value.__cause__, OSError)
    assert error.value.__cause__.errno == errno.EBADF


def test_a_mount_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "absent")
    with pytest.raises(KernelRefused, match=rf"^mount tmpfs on {nowhere}: E(NOENT|PERM) "):
        libc.mount("none", nowhere, "tmpfs", 0)


def test_an_option_that_the_socket_does_not_have_is_refused_by_number() -> None:
    with socket.socket() as any_socket:
        libc.setsockopt(any_socket.fileno(), socket.SOL_SOCKET, socket.SO_REUSEADDR, b"\1\0\0\0")
        assert any_socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
        with pytest.raises(KernelRefused, match=r"^setsockopt level 1 option 9999: ENOPROTOOPT "):
            libc.setsockopt(any_socket.fileno(), socket.SOL_SOCKET, 9999, bytes(4))


def test_prctl_changes_an_attribute_of_this_thread_alone() -> None:
    get_timer_slack, set_timer_slack = 30, 29
    before = libc.LIBC.prctl(get_timer_slack, 0, 0, 0, 0)
    try:
        libc.prctl(set_timer_slack, before + 1)
        assert libc.LIBC.prctl(get_timer_slack, 0, 0, 0, 0) == before + 1
    finally:
        libc.prctl(set_timer_slack, before)
    with pytest.raises(KernelRefused, match=r"^prctl option 99999: EINVAL "):
        libc.prctl(99999, 0)


def test_capabilities_are_read_into_the_callers_words() -> None:
    version_3 = 0x2008_0522
    data = (ctypes.c_uint32 * 6)()
    libc.capget((ctypes.c_uint32 * 2)(version_3, 0), data)
    status = Path("/proc/thread-self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    assert data[0] | data[3] << 32 == effective


@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64"), reason="no number of bpf(2)")
def test_a_bpf_command_that_there_is_not_is_refused() -> None:
    with pytest.raises(KernelRefused, match=r"^cannot do it: E(INVAL|PERM|2BIG) "):
        libc.bpf(9999, bytes(8), "cannot do it")
