"""The files that programs write their TLS secrets to: SSLKEYLOGFILE.

They are there before any program is, and are read by the descriptors that made them: whatever a
program puts in the place of one, no path that it could have changed is followed.
"""

from __future__ import annotations

import os

from lab.errors import KernelRefused
from lab.kernel.programs.confinement import Confinement
from lab.kernel.sandbox.supervisor import SECRETS_DIRECTORY
from lab.records import KeyLog

VARIABLE = "SSLKEYLOGFILE"
KEPT_BYTES = 1 << 20
"""Of one program: the secrets of a thousand connections."""


class KeyLogFile:
    """The file of one program."""

    def __init__(self, name: str, folder: int, owner: tuple[int, int] | None) -> None:
        """Make it in the folder of that descriptor, for that user and group to write to.

        Raises KernelRefused.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            self._descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        except OSError as error:
            raise KernelRefused(f"cannot make a file for TLS secrets: {error.strerror}") from error
        try:
            if owner is not None:
                os.fchown(self._descriptor, *owner)
        except (OSError, OverflowError) as error:
            self.close()
            uid, gid = owner or (0, 0)
            raise KernelRefused(
                f"cannot confine a program: no file can be given to uid {uid}, gid {gid}: {error}"
            ) from error
        self.path = str(SECRETS_DIRECTORY / name)

    def read(self, program: str, step: str) -> KeyLog | None:
        """What is written there; None where nothing is."""
        size = os.fstat(self._descriptor).st_size
        if size == 0:
            return None
        data = os.pread(self._descriptor, KEPT_BYTES, 0)
        if size > len(data):
            # Part of a secret would be taken for another one.
            data = data[: data.rfind(b"\n") + 1]
        text = data.decode("utf-8", "backslashreplace")
        return KeyLog(program, text, max(size - len(data), 0), step)

    def close(self) -> None:
        """Free the descriptor."""
        os.close(self._descriptor)


def make_key_logs(count: int, confinement: Confinement | None, first: int = 1) -> list[KeyLogFile]:
    """A file for each of so many programs, numbered from `first` on.

    Raises KernelRefused and InstrumentError.
    """
    view = confinement.secrets if confinement else None
    folder = os.open(SECRETS_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY) if view is None else view
    owner = confinement.owner if confinement else None
    made: list[KeyLogFile] = []
    try:
        for number in range(first, first + count):
            made.append(KeyLogFile(str(number), folder, owner))
    except KernelRefused:
        for each in made:
            each.close()
        raise
    finally:
        if view is None:
            os.close(folder)
    return made
