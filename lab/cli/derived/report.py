"""`wirelab report`: a recorded run's report in another format."""

from __future__ import annotations

import sys
from pathlib import Path

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace


def execute(options: Namespace) -> int:
    """Derive the report from the recording in a folder, write it, and say where it is."""
    from lab.derive import FORMATS, derived, write_derived
    from lab.errors import UsageError
    from lab.results import exit_status
    from lab.run import judged

    result = judged(options.folder, folder_of_scenarios=options.scenarios)
    if options.output == "-":
        if options.open:
            raise UsageError("--open opens a file; --output - writes to standard output")
        sys.stdout.flush()
        sys.stdout.buffer.write(derived(result, options.format, options.unix_as))
        return exit_status([result])
    target = Path(options.output or result.folder / FORMATS[options.format].file)
    write_derived(result, options.format, target, options.unix_as)
    print(target)
    if options.open:
        _open(target)
    return exit_status([result])


def _open(target: Path) -> None:
    """Open a file in the user's browser; raises UsageError where there is none to be found."""
    import webbrowser

    from lab.errors import UsageError

    if not webbrowser.open(target.resolve().as_uri()):
        raise UsageError(f"found no browser to open {target} with; set BROWSER to one")
