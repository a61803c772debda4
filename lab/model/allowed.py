"""What programs that are not wirelab's own may do, where that is more than usual, or less."""

from __future__ import annotations

from lab.errors import UsageError
from lab.frozen import frozen


@frozen
class Allowed:
    """What is asked for by options of `wirelab run`; docs/isolation.md says what is usual."""

    user: str = ""
    """The name or uid of the user that they run as; "" for the one who called sudo."""
    capabilities: tuple[str, ...] = ()
    """More capabilities, by their names in capabilities(7)."""
    writable: tuple[str, ...] = ()
    """Folders of the host's that they may write to."""
    sockets: tuple[str, ...] = ()
    """Unix sockets of the host's that they may connect to."""
    host_files: bool = False
    """Whether they have the host's files as they are: for kernels before Linux 5.12."""


@frozen
class Limits:
    """How much a program and all that it starts may take. There is no "unlimited"."""

    cpu_s: float = 10.0
    """Of the processors' time, all its processes together."""
    memory_mib: int = 256
    """All its processes together, without the files in its folders."""
    processes: int = 64
    """Processes and threads at a time."""
    file_mib: int = 16
    """The largest file that it may write."""
    disk_mib: int = 64
    """All files in its folder, in /tmp, /dev/shm and its HOME together; what was handed in too."""
    open_files: int = 256
    """Descriptors of each process."""
    output_kib: int = 1024
    """Standard output and standard error together."""
    wall_s: float = 60.0
    """From its start to its end, for a program that serves as well."""
    frames: int = 200_000
    """Captured while it runs, at both ends of every link, whoever sends them: all are kept."""
    captured_mib: int = 128
    """The same in their bytes, of which a frame on lo may have 65,536."""

    def __post_init__(self) -> None:
        """Raises UsageError for a limit that is not above 0."""
        for name in self.__match_args__:
            value = getattr(self, name)
            if not value > 0:
                raise UsageError(f"Limits: {name} is {value!r}, and must be more than 0")


@frozen
class Cell:
    """What a hostile program has: a copy of a folder, the system's programs, and these limits.

    The copy is its current folder, /submission, which it may write to and which ends with it; the
    folder itself stays as it is. What else it may do is in docs/submissions.md.
    """

    folder: str
    """Whose copy it has; an absolute path."""
    limits: Limits = Limits()
    shows: tuple[str, ...] = ()
    """Folders besides the system's that it may read, by absolute paths: toolchains."""

    def __post_init__(self) -> None:
        """Raises UsageError for a path that is not absolute."""
        for path in (self.folder, *self.shows):
            if not path.startswith("/"):
                raise UsageError(f"Cell: {path!r} is no absolute path")
