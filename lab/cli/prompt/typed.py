"""Lines that somebody types, with what readline(3) offers: editing, completion, history."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from lab.cli.prompt.interrupts import Interrupts
from lab.cli.prompt.lines import PROMPT
from lab.shell.completion import candidates
from lab.shell.grammar import Names

MOST_LINES = 1000
"""Of the history that is kept."""


def typed(names: Names, interrupts: Interrupts) -> Iterator[str]:
    """The lines, one after another, until Ctrl-D. Ctrl-C begins the line anew."""
    keep = _with_readline(names)
    try:
        while True:
            try:
                with interrupts.raising():
                    line = input(PROMPT)
            except KeyboardInterrupt:
                print()
                continue
            except EOFError:
                print()
                return
            yield line
    finally:
        keep()


def completed(before: str, word: str, names: Names) -> list[str]:
    """What the word may be, behind what stands before it, each with what ends it."""
    may = candidates(before, names)
    found = {f"{each} " for each in may.words if each.startswith(word)}
    if may.programs and "/" not in word:
        found |= {f"{each} " for each in _programs(word)}
    elif may.files or may.programs:
        found |= set(_files(word))
    return sorted(found)


def history_file() -> Path | None:
    """Where lines are kept; None where the home is another user's, as under some sudo."""
    home = os.path.expanduser("~")  # noqa: PTH111  a Path cannot tell that there is none
    try:
        if os.stat(home).st_uid != os.geteuid():  # noqa: PTH116
            return None
    except OSError:
        return None
    state = os.environ.get("XDG_STATE_HOME") or f"{home}/.local/state"
    return Path(state, "wirelab", "shell_history")


def _with_readline(names: Names) -> Callable[[], None]:
    """Set it up, as far as this Python has it; what is to be called at the end."""
    try:
        import readline
    except ModuleNotFoundError:
        return lambda: None

    found: list[str] = []

    def complete(word: str, number: int) -> str | None:
        nonlocal found
        if number == 0:
            before = readline.get_line_buffer()[: readline.get_begidx()]
            found = completed(before, word, names)
        return found[number] if number < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n|&;<>()'\"")
    readline.parse_and_bind("tab: complete")
    file = history_file()
    readline.clear_history()
    if file is not None and file.is_file():
        try:
            readline.read_history_file(file)
        except OSError:
            file = None
    known = readline.get_current_history_length()

    def keep() -> None:
        readline.set_completer(None)
        new = readline.get_current_history_length() - known
        if file is not None and new > 0:
            _append(file, new)

    return keep


def _append(file: Path, count: int) -> None:
    """Add the newest lines to the file. What goes wrong with that is no matter of the session's."""
    import readline

    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
        # Only the new ones: another session may have added some meanwhile.
        readline.append_history_file(count, file)
        readline.set_history_length(MOST_LINES)
    except OSError:
        return


def _programs(prefix: str) -> Iterator[str]:
    """Programs that PATH leads to."""
    if not prefix:
        return
    for folder in os.get_exec_path():
        for path in glob.glob(os.path.join(glob.escape(folder), glob.escape(prefix) + "*")):  # noqa: PTH118, PTH207
            if os.access(path, os.X_OK):
                yield os.path.basename(path)  # noqa: PTH119


def _files(prefix: str) -> Iterator[str]:
    """Files whose path begins so; a folder's ends with "/"."""
    for path in glob.glob(glob.escape(prefix) + "*"):  # noqa: PTH207
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116
        except OSError:
            is_folder = False
        yield f"{path}/" if is_folder else f"{path} "
