"""What the lab costs here and at another commit, taking turns in one run.

Arguments: the commit, and how many rounds (7). Prints medians and their ratio.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median

from tests.against.checkout import Checkout, both

LIMIT = 1.05
_LACKING = ("AttributeError", "ImportError", "ModuleNotFoundError", "TypeError")


class Lacking(Exception):
    """A commit has no such benchmark."""


CHAIN = """
from inspect import signature
from tests.benchmarks import setup
# Once a chain was all there was, and its hosts forwarded nothing.
is_old = "shape" not in signature(setup.measure).parameters
print(sum(setup.measure({length}) if is_old else setup.measure("chain", {length}, False)))
"""
CONNECTIONS = "from tests.benchmarks import trace; print(trace.run_connections({way!r})[1])"


def command(*words: str) -> Callable[[Checkout], float]:
    """How long a command of the lab's takes, from the shell and back."""

    def measure(checkout: Checkout) -> float:
        started = time.perf_counter()
        checkout.run("-m", "lab", *words)
        return time.perf_counter() - started

    return measure


def printed(code: str) -> Callable[[Checkout], float]:
    """The seconds that a checkout's own benchmark returns. Raises Lacking where it has none such.

    Of another commit it may have other names, or want other arguments.
    """

    def measure(checkout: Checkout) -> float:
        try:
            return float(checkout.run("-c", code))
        except subprocess.CalledProcessError as error:
            last = (error.stderr or "").strip().rpartition("\n")[2]
            if not last.startswith(_LACKING):
                raise
            raise Lacking(last) from error

    return measure


def measures(out: str) -> dict[str, Callable[[Checkout], float]]:
    """What is measured, by name."""
    run = ("run", "tcp", "--out", out)
    return {
        "wirelab --help": command("--help"),
        "bench-run: run tcp": command(*run),
        "bench-run: run tcp --trace none": command(*run, "--trace", "none"),
        "bench-setup: chain of 20": printed(CHAIN.format(length=20)),
        "bench-setup: chain of 200": printed(CHAIN.format(length=200)),
        **{
            f"bench-trace: a connection, {way}": printed(CONNECTIONS.format(way=way))
            for way in ("none", "auto", "ptrace")
        },
    }


def main(commit: str, rounds: str = "7") -> int:
    with both(commit) as (this, other), tempfile.TemporaryDirectory() as out:
        every = measures(out)
        times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in every}
        for number in range(int(rounds)):
            for name in list(times):
                # Who goes first takes turns as well.
                turns = ((0, this), (1, other))
                try:
                    for place, checkout in turns if number % 2 else reversed(turns):
                        times[name][place].append(every[name](checkout))
                except Lacking as lacking:
                    del times[name]
                    print(f"{name:<34} not measured: one of the two has none such ({lacking})")
        print(f"{'':<34} {'this':>9} {commit:>9}  ratio")
        for name, (ours, theirs) in times.items():
            ratio = median(ours) / median(theirs)
            remark = "" if ratio <= LIMIT else f"  more than {LIMIT:g}"
            print(
                f"{name:<34} {median(ours) * 1e3:7.2f}ms {median(theirs) * 1e3:7.2f}ms "
                f" {ratio:5.2f}{remark}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
