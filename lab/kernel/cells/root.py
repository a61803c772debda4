"""What a program in a cell sees of the machine: a root that has nothing but what is put there.

Source: pivot_root(2), tmpfs(5), hier(7), nsswitch.conf(5).
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import lab
from lab.errors import DoesNotFitError, UsageError
from lab.frozen import frozen
from lab.kernel.cells.copies import copy_folder
from lab.kernel.sandbox.view import DEVICE, READ_ONLY, clone_devices, make_devices, mount_proc
from lab.kernel.system import libc

SUBMISSION = "/submission"
"""A program's own folder, where it starts."""
HOME = "/home"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USER = "submission"
"""The name of its user, and of its machine."""

SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr")
"""Of the host's root: programs, libraries and compilers. Links stay links."""
SETTINGS = (
    "alternatives",  # what /usr/bin/cc and /usr/bin/java lead to
    "gai.conf",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "protocols",
    "services",
)
"""Of the host's /etc, besides those of Java, which is not to be had without them."""
OWN = {"submission": 0o700, "home": 0o700, "tmp": 0o1777, "shm": 0o1777}
"""The folders that it may write to, with their modes; together they have the disk's size."""

NEW = "/run"
"""Where the root is put together: a folder that every sandbox has, and its own."""
_FLAGS = libc.MS_NOSUID | libc.MS_NODEV
_FILES_A_MIB = 64
"""Files that may be made for each MiB of the disk."""


@frozen
class RootPlan:
    """What a root is made of."""

    folder: str
    """Of the host's: what it has is copied to SUBMISSION."""
    shows: tuple[str, ...]
    """Folders of the host's that are there as well, read-only."""
    disk_mib: int
    uid: int
    gid: int
    """Whose what may be written to is."""
    names: tuple[tuple[str, str], ...]
    """Addresses and names of the run's hosts."""


def interpreters() -> tuple[str, ...]:
    """The folder of this interpreter, without a virtual environment's; none where /usr has it."""
    found = os.path.realpath(sys.base_prefix)
    return () if found == "/usr" or found.startswith("/usr/") else (found,)


def folders_of_every_cell() -> tuple[str, ...]:
    """The host's folders that programs and their libraries lie in, by paths that are no links."""
    places = (Path("/", name) for name in SYSTEM)
    system = (str(path) for path in places if path.is_dir() and not path.is_symlink())
    return (*system, *interpreters())


def make_root(plan: RootPlan) -> int:
    """Make it the root of this process's mount namespace; a descriptor of SUBMISSION in it.

    All that was there before is gone from the namespace. Raises KernelRefused, and UsageError for
    a folder that is not there; DoesNotFitError.
    """
    source = _open_folder(plan.folder)
    shown = [(path, _clone(path, READ_ONLY)) for path in _shown(plan)]
    devices = clone_devices()
    for tree in devices:
        libc.restrict_mounts(tree, DEVICE)
    libc.mount("tmpfs", NEW, "tmpfs", _FLAGS, "mode=755,size=4m")
    for name in SYSTEM:
        if Path("/", name).is_symlink():
            Path(NEW, name).symlink_to(Path("/", name).readlink())
    Path(NEW, "dev").mkdir()
    make_devices(f"{NEW}/dev", devices)
    for tree in devices:
        os.close(tree)
    _make_own_folders(plan)
    # Behind the folders of its own, since one that is shown may lie in these.
    for path, tree in sorted(shown):
        _make_place(NEW + path, is_folder=stat.S_ISDIR(os.fstat(tree).st_mode))
        libc.attach_mounts(tree, NEW + path)
        os.close(tree)
    _cover_own_package([path for path, _ in shown])
    _write_settings(plan)
    Path(NEW, "proc").mkdir()
    mount_proc(f"{NEW}/proc")
    for place in (NEW, f"{NEW}/dev"):
        # The devices on it are mounts of their own.
        libc.mount("none", place, None, _read_only(place))
    target = os.open(NEW + SUBMISSION, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        copy_folder(source, target, (plan.uid, plan.gid))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            most = plan.disk_mib * _FILES_A_MIB
            raise DoesNotFitError(
                "the program's files, with what was built of them, take more than it may have: "
                f"{plan.disk_mib} MiB (its limit disk_mib), {most:,} files at most"
            ) from None
        raise UsageError(f"cannot copy {plan.folder} into a cell: {error.strerror}") from None
    os.close(source)
    os.chdir(NEW)
    libc.pivot_root(".", ".")
    libc.umount(".", libc.MNT_DETACH)
    os.chdir("/")
    return target


def _open_folder(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"a cell cannot have {path}: {error.strerror}") from None


def _shown(plan: RootPlan) -> Iterator[str]:
    """What of the host's is there, by paths that are no links."""
    for name in SETTINGS:
        if Path("/etc", name).exists():
            yield f"/etc/{name}"
    yield from (str(path) for path in Path("/etc").glob("java-*") if path.is_dir())
    for folder in (*folders_of_every_cell(), *plan.shows):
        if not Path(folder).is_dir():
            raise UsageError(f"a cell cannot show {folder}: there is no such folder")
        yield folder


def _cover_own_package(shown: Sequence[str]) -> None:
    """Hide the lab's package where it lies in what is shown: it has the sheets, and their hints.

    Raises KernelRefused.
    """
    package = Path(lab.__file__).resolve().parent
    if any(package.is_relative_to(Path(path).resolve()) for path in shown):
        nothing = _FLAGS | libc.MS_RDONLY
        libc.mount("tmpfs", f"{NEW}{package}", "tmpfs", nothing, "mode=755,size=4k")


def _clone(path: str, attributes: int) -> int:
    tree = libc.clone_mounts(path)
    libc.restrict_mounts(tree, attributes)
    return tree


def _make_place(path: str, *, is_folder: bool) -> None:
    place = Path(path)
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if is_folder:
        place.mkdir(exist_ok=True)
    else:
        place.touch()


def _write_settings(plan: RootPlan) -> None:
    """The files of /etc that are the cell's own."""
    loopback = [("127.0.0.1", f"localhost {USER}"), ("::1", "localhost")]
    files: dict[str, Iterable[Sequence[object]]] = {
        "hosts": [(f"{address}\t{name}",) for address, name in (*loopback, *plan.names)],
        "passwd": _once(
            ("root", "x", 0, 0, "", "/", "/usr/sbin/nologin"),
            (USER, "x", plan.uid, plan.gid, "", HOME, "/bin/sh"),
        ),
        "group": _once(("root", "x", 0, ""), (USER, "x", plan.gid, "")),
        "nsswitch.conf": [("passwd", " files"), ("group", " files"), ("hosts", " files")],
    }
    for name, rows in files.items():
        text = "".join(":".join(map(str, row)) + "\n" for row in rows)
        Path(NEW, "etc", name).write_text(text, "utf-8")


def _once(*rows: Sequence[object]) -> list[Sequence[object]]:
    """Rows whose number, the third of each, is not another's: root may be the user itself."""
    return list({row[2]: row for row in rows}.values())


def _make_own_folders(plan: RootPlan) -> None:
    """The folders that may be written to: parts of one tmpfs, whose size is that of the disk."""
    disk = f"{NEW}/disk"
    Path(disk).mkdir()
    size = f"mode=700,size={plan.disk_mib}m,nr_inodes={plan.disk_mib * _FILES_A_MIB}"
    libc.mount("tmpfs", disk, "tmpfs", _FLAGS, size)
    for name, mode in OWN.items():
        folder, place = Path(disk, name), Path(NEW, "dev/shm" if name == "shm" else name)
        folder.mkdir()
        folder.chmod(mode)
        os.chown(folder, plan.uid, plan.gid)
        place.mkdir()
        tree = libc.clone_mounts(str(folder))
        libc.attach_mounts(tree, str(place))
        os.close(tree)
    libc.umount(disk, libc.MNT_DETACH)
    Path(disk).rmdir()


def _read_only(place: str) -> int:
    """What makes the mount at that place alone read-only: mount(2), MS_REMOUNT with MS_BIND."""
    kept = libc.MS_NOSUID | (0 if place.endswith("/dev") else libc.MS_NODEV)
    return libc.MS_REMOUNT | libc.MS_BIND | libc.MS_RDONLY | kept
