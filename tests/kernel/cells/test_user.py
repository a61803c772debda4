"""Whose a cell's processes are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.errors import KernelRefused
from lab.kernel.cells import user as user_module
from lab.kernel.cells.user import FREE, CellUser, cell_user
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.system import libc


def test_a_map_has_all_of_them_or_not(tmp_path: Path) -> None:
    table = tmp_path / "uid_map"
    for text, expected in (
        ("         0          0 4294967295\n", True),
        ("         0     100000      65536\n", False),
        ("      1000       1000          1\n", False),
        (f"0 1000 1\n{FREE.start} 5 {len(FREE)}\n", True),
        (f"0 1000 1\n{FREE.start + 1} 5 {len(FREE)}\n", False),
    ):
        table.write_text(text)
        assert user_module._is_in_map(FREE, table) == expected


def two_users() -> tuple[CellUser, CellUser]:
    return cell_user(), cell_user()


@pytest.mark.kernel
def test_each_cell_of_root_s_has_a_uid_of_its_own(sandbox: Sandbox) -> None:
    one, other = sandbox.call(two_users)
    if os.geteuid() == 0:
        assert one.is_own and other.is_own and one.uid in FREE and one.gid == one.uid
        assert one.uid != other.uid
    else:
        assert one == other == CellUser(os.geteuid(), os.getegid(), is_own=False)


def why_not_enclosed() -> str:
    def refuse(flags: int, attempt: str) -> None:
        raise KernelRefused(f"{attempt}: ENOSPC")

    libc.unshare = refuse
    try:
        CellUser(os.geteuid(), os.getegid(), is_own=False).enclosed()
    except KernelRefused as error:
        return str(error)
    return ""


@pytest.mark.kernel
def test_a_user_namespace_that_is_refused_is_said(sandbox: Sandbox) -> None:
    assert sandbox.call(why_not_enclosed) == "cannot create a user namespace for a cell: ENOSPC"
