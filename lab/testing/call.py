"""Inside a host's namespaces: call a function of a test, and print what it returned.

Arguments: what its value's line begins with, how much of the processor's time it may take in
seconds, 0 for any, the function's file, its name, the folders of the
test's sys.path, "--", and its arguments, each `text …` or `value …`. A coroutine function is run by
asyncio. It is run by its path and imports nothing of the lab's, which may not be there.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import signal
import sys
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

_LIBRARY = sys.path[1:]
"""Where modules are found, without this file's folder."""


class TakesTooLong(Exception):
    """The function takes more of the processor's time than it may, whatever it meets."""


def main(mark: str, cpu_s: str, file: str, name: str, *words: str) -> int:
    """Call it; its value or its exception is the last line of standard output."""
    end = words.index("--")
    path, words = words[:end], words[end + 1 :]
    sys.path[:] = [str(Path(file).parent), *path]
    try:
        if float(cpu_s):
            _limit(float(cpu_s))
        value = _call(getattr(_imported(file), name), list(map(_argument, words)))
    except BaseException as error:
        met = isinstance(error, (OSError, EOFError, AssertionError))
        said = traceback.format_exception_only(error)[-1].strip()
        told = {"kind": "raised", "text": traceback.format_exc(), "said": said, "has_met": met}
        if isinstance(error, SystemExit):
            told["text"] = told["said"] = f"it called sys.exit({error.code!r})"
        status = 1
    else:
        told = {"kind": "returned", "text": repr(value)}
        status = 0
    if ready := os.environ.get("READY_FD"):
        os.write(int(ready), b"\n")
    print(f"\n{mark}{json.dumps(told)}", flush=True)
    return status


def _limit(cpu_s: float) -> None:
    """Raise TakesTooLong once so much of the processor's time is taken.

    And again a second later each, where somebody's `except:` swallowed it. Source: getitimer(2).
    """

    def end(*_: object) -> None:
        raise TakesTooLong(f"more than {cpu_s:g} s of the processor's time")

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, cpu_s, 1.0)


def _imported(file: str) -> Any:  # noqa: ANN401  a module has any attribute
    spec = importlib.util.spec_from_file_location("wirelab_test", file)
    assert spec is not None, "a file of Python"
    assert spec.loader is not None, "a file of Python"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _call(function: Any, arguments: list[object]) -> object:  # noqa: ANN401  any function
    function = getattr(function, "__wrapped__", function)
    called = function(*arguments)
    if not isinstance(called, Coroutine):
        return called
    # It takes longer to import than most functions to do their work; and it is the library's own.
    before, sys.path[:] = sys.path[:], _LIBRARY
    import asyncio

    sys.path[:] = before
    return asyncio.run(called)


def _argument(word: str) -> object:
    kind, _, text = word.partition(" ")
    return text if kind == "text" else ast.literal_eval(text)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
