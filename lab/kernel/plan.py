"""The plan of a run, as it is sent into a sandbox."""

from __future__ import annotations

from lab.frozen import frozen
from lab.kernel.capture.capturing import ALL_OF_IT, Capturing
from lab.model.family import Family
from lab.model.program import Step
from lab.model.topology import Topology

TYPE_CHECKING = False  # as typing has it; few runs need it
if TYPE_CHECKING:
    from lab.kernel.confinement import Confined
    from lab.kernel.stepping.updates import Stepping


@frozen
class Plan:
    """Everything a run needs, as plain values; the placeholders in programs' argv are replaced."""

    scenario: str
    family: Family | None
    topology: Topology
    steps: tuple[Step, ...]
    captures_loopback: bool = False
    trace: str = "auto"
    """Which instrument traces the programs: see lab/kernel/tracers.py."""
    source: str = ""
    """The scenario's file, as the recording has it."""
    is_session: bool = False
    """Whether programs are started as somebody asks for them. There is one step, without programs,
    and every link has a wire, for which there may be rules at any time."""
    notes_lines: bool = False
    """Whether Python programs note the lines that make their calls."""
    keeps_secrets: bool = True
    """Whether programs have SSLKEYLOGFILE, and what they write there is recorded."""
    confined: Confined | None = None
    """How the programs are confined; None for the lab's own, which are not."""
    stepping: Stepping | None = None
    """How frames wait for somebody's decisions, on every link; None where they do not."""
    capturing: Capturing = ALL_OF_IT
    spools: tuple[int, ...] = ()
    """The descriptors of the caller's files that frames are written to, which the sandbox has as
    well: the caller reads them there. With none the recording has the frames."""
