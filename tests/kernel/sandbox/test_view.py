"""The programs' view of the files; docs/isolation.md's lines are tried in test_isolation.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from outside import host

from lab.errors import InstrumentError, KernelRefused
from lab.kernel.network.netlink import create_namespace
from lab.kernel.sandbox import view as view_module
from lab.kernel.sandbox.sandbox import Sandbox
from lab.kernel.sandbox.view import WITHOUT_CONFINEMENT, WITHOUT_MOUNT_SETATTR, Files, View
from lab.kernel.system import libc

pytestmark = pytest.mark.kernel


def listed_in(files: Files, folder: str, path: str) -> tuple[str, list[str], int]:
    """Run inside: where a process of the view begins, what it lists, how many are left here."""
    view = View(files)
    view.wait()
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        view.enter(folder)
        os.write(write_end, "\n".join([os.getcwd(), *sorted(os.listdir(path))]).encode())  # noqa: PTH109, PTH208
        os._exit(0)
    os.waitpid(pid, 0)
    here, *names = os.read(read_end, 1 << 16).decode().splitlines()
    view.close()
    return here, names, sum(name.isdigit() for name in os.listdir("/proc"))  # noqa: PTH208


def names_left(files: Files) -> tuple[list[str], list[str]]:
    """Run inside: the network namespaces that have names, before and after a view was made."""
    create_namespace("client")
    before = mounted_at("/run/netns/")
    view = View(files)
    view.wait()
    view.close()
    return before, mounted_at("/run/netns/")


def mounted_at(folder: str) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines if line.split()[4].startswith(folder)]


def fail_with(number: int, files: Files) -> None:
    """Run inside: make a view where the kernel refuses mount_setattr(2)."""

    def refuse(where: str | int, attributes: int) -> None:
        error = KernelRefused(f"mount_setattr {where}: no")
        error.__cause__ = OSError(number, "")
        raise error

    libc.restrict_mounts = refuse
    View(files).wait()


def die(files: Files) -> None:
    """Run inside: make a view in a process that dies of it."""

    def end(files: Files) -> None:
        os._exit(1)

    view_module.make_view = end
    View(files).wait()


def break_down(files: Files) -> None:
    """Run inside: make a view by code that is wrong."""
    view_module.make_view = lambda files: files.nothing  # type: ignore[attr-defined]
    View(files).wait()


def test_a_folder_in_one_of_its_own_is_there_where_it_is_named(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    for name in ("writable", "shown", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "writable" / "file").touch()
    before = host()
    files = Files((str(tmp_path / "writable"),), shown=(str(tmp_path / "shown"),))
    writable = str(tmp_path / "writable")
    assert sandbox.call(listed_in, files, writable, str(tmp_path))[:2] == (
        writable,
        ["shown", "writable"],
    )
    assert sandbox.call(listed_in, files, writable, writable)[1] == ["file"]
    assert host() == before


def test_the_labs_own_mounts_stay_while_it_is_made(sandbox: Sandbox) -> None:
    before, after = sandbox.call(names_left, Files(()))
    assert before == after == ["/run/netns/client"]


def test_a_program_begins_in_the_root_where_its_folder_is_not_there(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    here, names, _ = sandbox.call(listed_in, Files(()), str(tmp_path), "/run")
    assert (here, names) == ("/", ["wirelab", "wirelab-secrets"])


def test_the_process_that_makes_it_is_gone_when_it_is_ready(sandbox: Sandbox) -> None:
    _, _, processes = sandbox.call(listed_in, Files(()), "/", "/")
    assert processes == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="tracefs is root's")
def test_tracefs_is_covered(sandbox: Sandbox) -> None:
    words = "tracefs", "/sys/kernel/tracing", "tracefs", libc.MS_NODEV
    if not sandbox.call(os.path.isdir, "/sys/kernel/tracing/events"):
        sandbox.call(libc.mount, *words)
    assert sandbox.call(listed_in, Files(()), "/", "/sys/kernel/tracing")[1] == []


@pytest.mark.parametrize(
    ("number", "advice"), [(38, WITHOUT_MOUNT_SETATTR), (1, WITHOUT_CONFINEMENT)]
)
def test_where_the_kernel_refuses_the_line_says_what_to_do(
    sandbox: Sandbox, number: int, advice: str
) -> None:
    with pytest.raises(KernelRefused) as refused:
        sandbox.call(fail_with, number, Files(()))
    assert str(refused.value) == (
        f"cannot make the host's files read-only for the programs: mount_setattr /: no; {advice}"
    )


def test_the_death_of_what_makes_it_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(InstrumentError, match=r"^the process that makes the programs' view"):
        sandbox.call(die, Files(()))


def test_a_fault_of_the_lab_is_shown_whole(sandbox: Sandbox) -> None:
    with pytest.raises(InstrumentError, match=r"(?s)cannot be made:.*AttributeError"):
        sandbox.call(break_down, Files(()))
