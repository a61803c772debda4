"""`wirelab snapshot`: the shape of a recorded conversation, to be kept and compared with."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.expect.expectations import Expectations

HEADING = "# The shape of a conversation: * stands for anything, a line with ? may be missing."


def execute(options: Namespace) -> int:
    """Print the shape of a run or of a capture file."""
    print(snapshot_text(_recorded(options.run)), end="")
    return 0


def snapshot_text(recorded: Expectations) -> str:
    """The text of a snapshot: what `--snapshot` compares with."""
    from lab.expect.shape import shape_of

    return "\n".join((HEADING, *shape_of(recorded.subjects()), ""))


def read_snapshot(file: str) -> str:
    """A snapshot's text. Raises UsageError where there is none."""
    from pathlib import Path

    from lab.errors import UsageError
    from lab.expect.snapshot import parse_snapshot

    try:
        text = Path(file).read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no snapshot {file}; --update-snapshot writes it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the snapshot {file}: {error}") from None
    if not parse_snapshot(text):
        raise UsageError(f"the snapshot {file} is empty; --update-snapshot writes it")
    return text


def _recorded(name: str) -> Expectations:
    """A run's folder judged again, or a capture file."""
    from pathlib import Path

    from lab.capture_files import load_capture
    from lab.run import judged

    return judged(name) if Path(name).is_dir() else load_capture(name)
