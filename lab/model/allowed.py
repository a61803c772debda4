"""What programs that are not wirelab's own may do, where that is to be more than usual."""

from __future__ import annotations

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
