"""`wirelab doctor`: what this machine allows."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Print a line for each thing that the lab needs or likes; status 3 if it needs one more."""
    from lab.kernel.preflight import examine

    findings = examine()
    for finding in findings:
        print(finding)
    return 0 if all(finding.ok or not finding.needed for finding in findings) else 3
