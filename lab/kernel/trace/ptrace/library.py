"""stops.c, compiled: where it is, whether it is of this source, and what makes it.

python -m lab.kernel.trace.ptrace.library      compiles it, where there is a compiler of C

It is made when the lab is set up and never while it runs; where it is not, the loop in Python does
the same. It belongs to the environment and not to the package, which stays one for all machines.
"""

from __future__ import annotations

import ctypes
import os
import sys
import zlib
from functools import cache
from pathlib import Path

from lab.errors import MachineError

SOURCE = Path(__file__).with_name("stops.c")
PLACE = Path(sys.executable).parent.parent / "lib" / "wirelab" / "stops.so"
"""Where the library is, or would be: in the environment of this interpreter.

Not by sys.prefix: an interpreter that was started with -S, as a sandbox's is, has the system's.
"""
_OPTIONS = ("-std=c99", "-O2", "-shared", "-fPIC")


def digest() -> str:
    """What tells a library of this source from one of another.

    Every run that traces by ptrace asks for it: hashlib would take longer to import than it does.
    """
    return f"{zlib.crc32(SOURCE.read_bytes()):08x}"


@cache
def load(path: Path) -> tuple[ctypes.PyDLL | None, str]:
    """The library, or None and why there is none to use."""
    try:
        if not path.exists():
            return None, "not compiled"
        wanted = digest().encode()
        library = ctypes.PyDLL(os.fspath(path))
        found = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(library, "stops_digest")))
    except (OSError, ValueError) as error:
        return None, f"cannot be loaded: {error}"
    if found != wanted:
        return None, "compiled from another version's source"
    return library, ""


def compile_library(path: Path) -> None:
    """Compile it. Raises MachineError where there is no compiler or it fails."""
    import shutil
    import subprocess

    compiler = shutil.which("cc")
    if compiler is None:
        raise MachineError("there is no compiler of C (cc)")
    path.parent.mkdir(parents=True, exist_ok=True)
    # A loaded library must not change under who has it: it is replaced.
    made = path.with_name(f"{path.name}.{os.getpid()}")
    named = f'-DSOURCE_DIGEST="{digest()}"'
    words = [compiler, *_OPTIONS, named, "-o", os.fspath(made), os.fspath(SOURCE)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        made.unlink(missing_ok=True)
        raise MachineError(f"cannot compile {SOURCE.name}: {done.stderr.strip()}")
    made.replace(path)


def main() -> None:
    """Compile it where it is not there; where it cannot be, say so."""
    if not load(PLACE)[1]:
        return
    try:
        compile_library(PLACE)
    except (MachineError, OSError) as error:
        print(f"ptrace's loop stays in Python: {error}")
    else:
        print(f"ptrace's loop is compiled: {PLACE}")


if __name__ == "__main__":
    main()
