"""The folder a run leaves behind: where it is, whose it is, and the `latest` link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lab.errors import UsageError
from lab.invoker import invoking_ids, user_name

# What symlink(2) gives where the file system has none.
NO_SYMLINKS = frozenset({errno.EPERM, errno.EROFS, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPROTO})


def check_writable(out: Path) -> None:
    """Raise UsageError where folders cannot be made under `out`, before anything is run.

    Also where it is unclear to whom they are to be given.
    """
    invoking_ids()
    check_links(out)
    existing = out
    try:
        while not _exists(existing) and existing != existing.parent:
            existing = existing.parent
        is_folder = stat.S_ISDIR(existing.stat().st_mode)
    except OSError as error:
        raise UsageError(
            f"cannot write artifacts to {out}: {error.strerror}; use --out DIR"
        ) from None
    if not is_folder:
        raise UsageError(f"cannot write artifacts to {out}: {existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(
            f"cannot write artifacts to {out}: {existing} is not writable; use --out DIR"
        )


def check_links(path: Path) -> None:
    """Raise UsageError where a link of somebody's leads root to what is not theirs.

    A program under test may have made it in the current folder, for root to write where it may
    not itself.
    """
    if os.geteuid() != 0:
        return
    for part in (path, *path.parents):
        try:
            link = part.lstat()
            leads_to = _nearest(Path(os.path.realpath(part))).stat()
        except OSError:
            continue  # who writes there will say what is wrong
        if stat.S_ISLNK(link.st_mode) and link.st_uid not in (0, leads_to.st_uid):
            raise UsageError(
                f"cannot write {path}: {part} is a link of {user_name(link.st_uid)}'s to what "
                f"is not theirs, {os.path.realpath(part)}"
            )


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that there is."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _exists(path: Path) -> bool:
    """Whether there is such a path. Raises OSError if that cannot be determined.

    Path.exists() takes every error for "no" since Python 3.14.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


@contextmanager
def named(path: Path) -> Iterator[Path]:
    """Have an OSError name that file: write(2) fails without one, on a full disk say."""
    try:
        yield path
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def create_folder(out: Path, scenario: str, started_ns: int) -> Path:
    """A new folder `out/scenario/time`, the time in UTC to the microsecond.

    Raises OSError and UsageError.
    """
    started_us = started_ns // 1000
    parent = out / scenario
    check_links(parent)
    missing = [folder for folder in (parent, *parent.parents) if not _exists(folder)]
    parent.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        give_to_invoker(folder)
    while True:
        seconds, microseconds = divmod(started_us, 1_000_000)
        moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H-%M-%S")
        folder = parent / f"{moment}.{microseconds:06d}Z"
        try:
            folder.mkdir()
        except FileExistsError:
            started_us += 1  # another run began in the same microsecond
        else:
            give_to_invoker(folder)
            return folder


def finish_folder(folder: Path) -> str:
    """Give the folder's files to the invoking user and point `latest` beside it at it.

    What is to be said of it: "", or that the file system has no symbolic links (a folder that
    VirtualBox shares has none). Raises OSError.
    """
    for path in folder.iterdir():
        give_to_invoker(path)
    latest = folder.parent / "latest"
    while True:
        latest.unlink(missing_ok=True)
        try:
            latest.symlink_to(folder.name)
        except FileExistsError:
            continue  # another run was faster; the later one wins
        except OSError as error:
            if error.errno not in NO_SYMLINKS:
                raise
            return f"no link {latest}: {error.strerror}"
        give_to_invoker(latest)
        return ""


def give_to_invoker(path: Path) -> None:
    """Under sudo, make the user who called sudo the owner. Raises OSError and UsageError."""
    if (ids := invoking_ids()) is not None:
        owner = path.lstat()
        # Shared folders of virtual machines have the right owner, and refuse to be given one.
        if (owner.st_uid, owner.st_gid) != ids:
            os.chown(path, *ids, follow_symlinks=False)
