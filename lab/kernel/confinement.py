"""The confinement of a run's programs, worked out before its sandbox knows of them."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from lab.errors import UsageError
from lab.frozen import frozen
from lab.invoker import invoking_user, named_user, user_name
from lab.kernel.programs.confinement import KEPT, Identity
from lab.kernel.sandbox.view import NOT_WRITABLE, OWN_FOLDERS, Files
from lab.kernel.system.capabilities import numbers_of
from lab.model.allowed import Allowed
from lab.model.program import Step
from lab.records import RanAs

HOST_SOCKETS = Path("/proc/net/unix")


@frozen
class Confined:
    """How a run's programs are confined, as plain values."""

    identity: Identity | None
    """None where they run as the lab's own user."""
    capabilities: tuple[str, ...]
    """Those that they have besides KEPT."""
    folder: str
    """The folder that they start in."""
    files: Files | None
    """None where they have the host's."""
    ran_as: RanAs
    """For the recording."""


def confine(
    allowed: Allowed,
    steps: Iterable[Step],
    scenario: Path | None = None,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Confined:
    """How to confine the programs of the steps, whose placeholders are replaced.

    `scenario` is the file that they belong to, if any; `names` are the hosts' that they can look
    up, with the address of each. Raises UsageError.
    """
    programs = [program for step in steps for program in step.programs]
    numbers_of(allowed.capabilities)
    for program in programs:
        numbers_of(program.capabilities)
    user = named_user(allowed.user) if allowed.user else invoking_user()
    identity = None
    if user is not None and user.uid != os.geteuid():
        identity = Identity(user.name, user.uid, user.gid, user.groups, user.home)
    here = _current_folder()
    files = None
    if not allowed.host_files:
        commands = [word for program in programs for word in program.argv]
        files = _files(allowed, here, commands, scenario, names)
    uid = os.geteuid() if identity is None else identity.uid
    ran_as = RanAs(
        user=user_name(uid),
        uid=uid,
        capabilities=(*KEPT, *(name for name in allowed.capabilities if name not in KEPT)),
        writable=files.writable if files else (),
        sockets=files.sockets if files else (),
        host_files=allowed.host_files,
    )
    return Confined(identity, allowed.capabilities, here, files, ran_as)


def _current_folder() -> str:
    try:
        return os.path.realpath(os.getcwd())  # noqa: PTH109  as a text, in the sandbox
    except FileNotFoundError:
        raise UsageError("the current folder has been deleted; go to another") from None


def _files(
    allowed: Allowed,
    here: str,
    commands: Iterable[str],
    scenario: Path | None,
    names: Mapping[str, str],
) -> Files:
    writable = [] if here == "/" or _is_in(here, NOT_WRITABLE) else [here]
    writable += (_writable_folder(name) for name in allowed.writable)
    sockets = [_socket(name) for name in allowed.sockets]
    needed = {sys.prefix, sys.base_prefix, *(_command_files(commands))}
    if scenario is not None:
        needed.add(str(scenario.parent))
    shown = {os.path.realpath(path) for path in needed} | {os.path.abspath(p) for p in needed}  # noqa: PTH100
    return Files(
        writable=tuple(dict.fromkeys(writable)),
        sockets=tuple(dict.fromkeys(sockets)),
        shown=tuple(sorted(_hidden(shown, writable))),
        covered=tuple(sorted(_host_sockets(here, sockets))),
        names=tuple((address, name) for name, address in names.items()),
    )


def _writable_folder(name: str) -> str:
    path = os.path.realpath(name)
    if not Path(path).is_dir():
        raise UsageError(f"--writable {name}: there is no such folder")
    if path == "/" or _is_in(path, NOT_WRITABLE):
        raise UsageError(f"--writable {name}: {path} is never made writable")
    return path


def _socket(name: str) -> str:
    path = os.path.realpath(name)
    if not _is_socket(path):
        raise UsageError(f"--socket {name}: there is no such unix socket")
    return path


def _command_files(words: Iterable[str]) -> Iterator[str]:
    """Files that commands name by their paths, and folders: of a file its own, if that is one.

    A script may need what lies beside it.
    """
    for word in words:
        if word.startswith("/") and _is_in(word, OWN_FOLDERS):
            path = Path(word)
            if path.is_dir():
                yield word
            elif path.is_file():
                yield word if str(path.parent) in OWN_FOLDERS else str(path.parent)


def _hidden(paths: Iterable[str], writable: Iterable[str]) -> Iterator[str]:
    """Those of the paths that the programs' own folders would hide."""
    visible = tuple(writable)
    for path in paths:
        is_hidden = _is_in(path, OWN_FOLDERS) and path not in OWN_FOLDERS
        exists = os.path.lexists(path) and not Path(path).is_symlink()
        if is_hidden and exists and not _is_in(path, visible):
            yield path


def _host_sockets(here: str, allowed: Iterable[str]) -> Iterator[str]:
    """Unix sockets that exist in the host's file systems, but for those that may be reached.

    Source: unix(7), /proc/net/unix. A socket that was bound by a relative path is not found.
    """
    spared = {*allowed}
    try:
        lines = HOST_SOCKETS.read_bytes().splitlines()[1:]
    except FileNotFoundError:
        return  # a kernel without unix sockets
    for line in lines:
        words = line.split(None, 7)
        if len(words) == 8 and words[7].startswith(b"/"):
            path = os.path.realpath(os.fsdecode(words[7]))
            is_spared = path in spared or (here != "/" and _is_in(path, (here,)))
            if not is_spared and not _is_in(path, OWN_FOLDERS) and _is_socket(path):
                yield path


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
