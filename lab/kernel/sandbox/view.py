"""What programs see of the machine: mount, IPC and UTS namespaces that they share, and the lab not.

The host's file systems are read-only there but for what `Files` names; /tmp, /run, /dev and /proc
are the programs' own. Programs that have the host's files as they are share a mount namespace all
the same: what they unmount there, the lab goes on using. A process beside the init makes them
while the topology is built, and the init keeps descriptors of its namespaces. Nothing of it
outlives the sandbox.

Source: mount_namespaces(7), mount_setattr(2), proc(5).
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lab.errors import KernelRefused
from lab.frozen import frozen
from lab.kernel.sandbox.mounts import MOUNTINFO, Mount, open_mounts, parse_mounts, read_mounts
from lab.kernel.sandbox.supervisor import SECRETS_DIRECTORY, SHARED_DIRECTORY
from lab.kernel.system import libc
from lab.kernel.system.made import send_made, take_made

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
OWN_FOLDERS = {"/tmp": "1777", "/run": "755", "/var/run": "755"}
"""What is empty at the start of a run, and the programs' own; with its mode."""
NOT_WRITABLE = ("/proc", "/sys", "/dev")
"""Where no folder of the host's is made writable, not even the current one."""
CGROUPS = "/sys/fs/cgroup"
HOSTS = Path("/etc/hosts")
"""Where names have their addresses: hosts(5)."""

NAMESPACES = {"mnt": libc.CLONE_NEWNS, "ipc": libc.CLONE_NEWIPC, "uts": libc.CLONE_NEWUTS}
"""Their files in /proc/pid/ns, and their kinds."""

WITHOUT_CONFINEMENT = "--host-files lets the programs have the host's files as they are"
WITHOUT_MOUNT_SETATTR = f"Linux has mount_setattr(2) since 5.12; {WITHOUT_CONFINEMENT}"


RESTRICTED = libc.MOUNT_ATTR_NOSUID | libc.MOUNT_ATTR_NODEV
READ_ONLY = RESTRICTED | libc.MOUNT_ATTR_RDONLY
# A device can be written to all the same; its mode, owner and times are the host's, and cannot.
DEVICE = libc.MOUNT_ATTR_NOSUID | libc.MOUNT_ATTR_RDONLY
_OWN = libc.MS_NOSUID | libc.MS_NODEV
_SIZE = "size=25%"
"""Of the machine's memory, what files in one of the programs' own folders may take."""


@frozen
class Files:
    """What programs have of the host's files besides reading them. All paths are real ones."""

    writable: tuple[str, ...]
    """Folders, with all that is mounted in them."""
    sockets: tuple[str, ...] = ()
    """Unix sockets that they may connect to."""
    shown: tuple[str, ...] = ()
    """What they can read although it lies in one of OWN_FOLDERS."""
    covered: tuple[str, ...] = ()
    """Unix sockets of the host's that they must not reach."""
    names: tuple[tuple[str, str], ...] = ()
    """Addresses and host names that stand before the host's own in HOSTS."""


class View:
    """The namespaces, which are made beside this process."""

    def __init__(self, files: Files | None) -> None:
        """Start to make them; `wait` waits for it. Raises KernelRefused.

        Without `files` it is a mount namespace with the host's files as they are.
        """
        self.has_hosts_files = files is None
        self._covered = frozenset(files.covered if files else ())
        self._kinds = NAMESPACES if files is not None else {"mnt": libc.CLONE_NEWNS}
        self._answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._maker = os.fork()
        except OSError as error:
            self._answer.close()
            theirs.close()
            raise KernelRefused(f"cannot fork: {error.strerror}") from error
        if self._maker == 0:
            _answer(files, self._kinds, theirs)
        theirs.close()
        self._descriptors: list[int] = []
        """Of the namespaces, then of what shows their mounts, of the folder of secrets, and of
        /dev/pts where that is their own."""

    def wait(self) -> None:
        """Wait until they are ready. Raises KernelRefused, InstrumentError and OSError (EMFILE)."""
        if self._descriptors:
            return
        most = len(self._kinds) + (2 if self.has_hosts_files else 3)
        try:
            self._descriptors = take_made(self._answer, most, "the programs' view of the files")
        finally:
            os.waitpid(self._maker, 0)

    @property
    def secrets(self) -> int:
        """A descriptor of SECRETS_DIRECTORY in the view, once that is ready."""
        return self._descriptors[len(self._kinds) + 1]

    @property
    def terminals(self) -> int | None:
        """A descriptor of /dev/pts in the view, once that is ready; None where it is the host's."""
        return None if self.has_hosts_files else self._descriptors[-1]

    def enter(self, folder: str) -> None:
        """Move this process into them, and into that folder; to "/" if they have no such folder.

        For a child that executes a program. Raises KernelRefused.
        """
        namespaces = self._descriptors[: len(self._kinds)]
        for descriptor, kind in zip(namespaces, self._kinds.values(), strict=True):
            libc.setns(descriptor, kind, "cannot enter the programs' namespaces")
        try:
            os.chdir(folder)
        except OSError:
            os.chdir("/")

    def mounts(self) -> dict[int, Mount]:
        """What is mounted there now, by the mounts' ids. It must be ready.

        Without what covers the host's sockets: it goes with a socket whose owner removes it, which
        is no program's doing.
        """
        found = read_mounts(self._descriptors[len(self._kinds)])
        return {id: mount for id, mount in found.items() if mount.point not in self._covered}

    def close(self) -> None:
        """Close the descriptors of the namespaces."""
        self._answer.close()
        for descriptor in self._descriptors:
            os.close(descriptor)


def _answer(files: Files | None, kinds: Mapping[str, int], channel: socket.socket) -> None:
    """Make the namespaces; send their descriptors, and two: see View. It never returns."""
    descriptors: list[int] = []
    failed: BaseException | None = None
    try:
        libc.unshare(sum(kinds.values()), "cannot create the programs' namespaces")
        descriptors = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in kinds]
        mounts = open_mounts()
        # Only this copy of the namespace loses what is unmounted in it: where names of network
        # namespaces are made, mounts are shared, and gone in one copy is gone in the other.
        libc.mount("none", "/", None, libc.MS_REC | libc.MS_PRIVATE)
        if files is not None:
            make_view(files)
        secrets = os.open(SECRETS_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY)
        descriptors += (mounts, secrets)
        if files is not None:
            descriptors.append(os.open("/dev/pts", os.O_RDONLY | os.O_DIRECTORY))
    except BaseException as error:
        failed = error
    try:
        send_made(channel, descriptors, failed)
    finally:
        os._exit(0)


def make_view(files: Files) -> None:
    """Turn this process's mount namespace, a private copy of the init's, into the programs'.

    Raises KernelRefused.
    """
    libc.umount("/run", libc.MNT_DETACH)
    # Copied before the host's become read-only, and restricted after that.
    writable = [(path, libc.clone_mounts(path)) for path in files.writable]
    shown = [(path, libc.clone_mounts(path)) for path in (*files.shown, *files.sockets)]
    devices = [(f"/dev/{name}", tree) for name, tree in zip(DEVICES, clone_devices(), strict=True)]
    try:
        libc.restrict_mounts("/", READ_ONLY)
        for copies, kept in ((writable, RESTRICTED), (shown, READ_ONLY), (devices, DEVICE)):
            for _, tree in copies:
                libc.restrict_mounts(tree, kept)
    except KernelRefused as error:
        lacks = getattr(error.__cause__, "errno", None) == errno.ENOSYS
        advice = WITHOUT_MOUNT_SETATTR if lacks else WITHOUT_CONFINEMENT
        what = f"cannot make the host's files read-only for the programs: {error.refusal}"
        raise KernelRefused(what, advice) from error
    for folder, mode in OWN_FOLDERS.items():
        if Path(folder).is_dir() and not Path(folder).is_symlink():
            libc.mount("tmpfs", folder, "tmpfs", _OWN, f"mode={mode},{_SIZE}")
    SHARED_DIRECTORY.mkdir()
    SHARED_DIRECTORY.chmod(0o1777)
    SECRETS_DIRECTORY.mkdir()
    SECRETS_DIRECTORY.chmod(0o711)
    make_devices("/dev", [tree for _, tree in devices])
    Path("/dev/shm").mkdir()
    libc.mount("tmpfs", "/dev/shm", "tmpfs", _OWN, f"mode=1777,{_SIZE}")
    _cover_kernel_files()
    mount_proc()
    # Outer folders first: they would cover the inner ones.
    for path, tree in sorted(writable + shown):
        _make_place(path, is_folder=stat.S_ISDIR(os.fstat(tree).st_mode))
        libc.attach_mounts(tree, path)
    for path in files.covered:
        _cover_socket(path)
    if files.names:
        _name_hosts(files.names)


def _name_hosts(names: Iterable[tuple[str, str]]) -> None:
    """Put the names before the host's own; nowhere where the host has no HOSTS to mount it on."""
    if not HOSTS.is_file():
        return
    place = Path("/run/hosts")
    lines = [f"{address}\t{name}\n" for address, name in names]
    place.write_bytes("".join(lines).encode() + HOSTS.read_bytes())
    copy = libc.clone_mounts(str(place))
    libc.restrict_mounts(copy, READ_ONLY)
    libc.attach_mounts(copy, os.path.realpath(HOSTS))
    os.close(copy)
    place.unlink()


def _make_place(path: str, *, is_folder: bool) -> None:
    """Make the folder or file to attach a mount to, where the programs' own folders lack it."""
    if os.path.lexists(path):
        return
    place = Path(path)
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if is_folder:
        place.mkdir()
    else:
        place.touch()


def make_devices(place: str, trees: Iterable[int]) -> None:
    """A /dev with these of DEVICES alone, copies of the host's mounts, and terminals."""
    libc.mount("tmpfs", place, "tmpfs", libc.MS_NOSUID, "mode=755,size=1m")
    for name, tree in zip(DEVICES, trees, strict=True):
        Path(place, name).touch()
        libc.attach_mounts(tree, f"{place}/{name}")
    for name, target in DEVICE_LINKS.items():
        Path(place, name).symlink_to(target)
    Path(place, "pts").mkdir()
    terminals = "newinstance,ptmxmode=0666,mode=620"
    libc.mount("devpts", f"{place}/pts", "devpts", libc.MS_NOSUID, terminals)


def clone_devices() -> list[int]:
    """Copies of the host's mounts of DEVICES. Raises KernelRefused."""
    return [libc.clone_mounts(f"/dev/{name}") for name in DEVICES]


def _cover_kernel_files() -> None:
    """Cover what is mounted in /sys, but for control groups: tracefs, debugfs, bpf and so on."""
    done: list[str] = []
    for path in sorted(_mounted_beneath("/sys")):
        if not _is_at_or_beneath(path, (CGROUPS, *done)):
            libc.mount("none", path, "tmpfs", _OWN | libc.MS_RDONLY, "mode=755")
            done.append(path)


def _mounted_beneath(folder: str) -> Iterator[str]:
    """Mount points beneath a folder."""
    for mount in parse_mounts(Path(MOUNTINFO).read_bytes()).values():
        if mount.point.startswith(f"{folder}/"):
            yield mount.point


def mount_proc(place: str = "/proc") -> None:
    """A /proc that shows programs themselves alone, and takes nothing for the kernel.

    The lab's own processes cannot be seen: programs lack their capabilities, so that they may not
    trace them. What is no process's is read-only: uid 0 may write there without a capability.
    """
    libc.mount("proc", place, "proc", _OWN | libc.MS_NOEXEC, "hidepid=ptraceable")
    with os.scandir(place) as entries:
        shared = [
            entry.path
            for entry in entries
            if not entry.name.isdigit() and not entry.is_symlink() and _is_written_to(entry)
        ]
    for path in shared:
        copy = libc.clone_mounts(path)
        libc.restrict_mounts(copy, READ_ONLY)
        libc.attach_mounts(copy, path)
        os.close(copy)


def _is_written_to(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir() or bool(entry.stat().st_mode & 0o222)


def _cover_socket(path: str) -> None:
    """Put an end to a unix socket's path; whoever connects to it is refused."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return
    except OSError:
        return  # nobody here can reach it
    libc.attach_mounts(libc.clone_mounts("/dev/null"), path)


def _is_at_or_beneath(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
