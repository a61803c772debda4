"""Who runs the lab: under sudo the user who called sudo, and the user who programs run as.

Source: sudo(8), SUDO_UID and SUDO_GID; passwd(5); getgrouplist(3).
"""

from __future__ import annotations

import os
import pwd
from typing import NamedTuple

from lab.errors import UsageError, did_you_mean

HIGHEST_ID = 0xFFFFFFFE
"""Of a user or a group: the number above it stands for "no change" in chown(2) and setresuid(2)."""

ADVICE = "; unset it where sudo did not set it"


class User(NamedTuple):  # no dataclass: the sandbox starts before those are imported
    """A user as passwd(5) has it."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    """All groups that the user is in, `gid` included."""
    home: str


def invoking_ids() -> tuple[int, int] | None:
    """Uid and gid of the user who called sudo; None where nobody did.

    Raises UsageError where SUDO_UID or SUDO_GID is no number that a user can have.
    """
    uid, gid = _id_in("SUDO_UID"), _id_in("SUDO_GID")
    return None if uid is None or gid is None else (uid, gid)


def invoking_user() -> User | None:
    """The user who called sudo; None where nobody did, or root.

    Raises UsageError where that is no user of this machine.
    """
    uid = _id_in("SUDO_UID")
    if not uid:
        return None
    try:
        return _user(pwd.getpwuid(uid))
    except KeyError:
        raise UsageError(f"SUDO_UID is {uid}, which no user here has{ADVICE}") from None


def named_user(wanted: str) -> User:
    """The user of that name or uid. Raises UsageError where there is none, and but for root."""
    if os.geteuid() != 0:
        raise UsageError(f"--as {wanted}: only root can run programs as another user; use sudo")
    is_number = wanted.isascii() and wanted.isdigit()
    if is_number and int(wanted) > HIGHEST_ID:
        raise UsageError(f"--as {wanted}: a uid is at most {HIGHEST_ID}")
    try:
        return _user(pwd.getpwuid(int(wanted)) if is_number else pwd.getpwnam(wanted))
    except (KeyError, ValueError):
        names = () if is_number else (entry.pw_name for entry in pwd.getpwall())
        near = did_you_mean(wanted, names)
        raise UsageError(f"--as {wanted}: there is no such user here{near}") from None


def user_name(uid: int) -> str:
    """The user's name, or the uid where there is no such user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _user(entry: pwd.struct_passwd) -> User:
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)


def _id_in(variable: str) -> int | None:
    """The id in an environment variable of sudo's; None without one, and but for root."""
    text = os.environ.get(variable)
    if text is None or os.geteuid() != 0:
        return None
    if not text.isascii() or not text.isdigit() or int(text) > HIGHEST_ID:
        raise UsageError(
            f"{variable} is {text!r}, which is no number from 0 to {HIGHEST_ID}{ADVICE}"
        )
    return int(text)
