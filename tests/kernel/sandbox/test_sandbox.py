"""A sandbox: what runs in it, and that nothing of it is left."""

from __future__ import annotations

import gc
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import inside
import pytest
from outside import (
    environment,
    host,
    init_pid,
    is_alive,
    marked,
    wait_until_gone,
)

from lab.errors import (
    InstrumentError,
    KernelRefused,
    LabError,
    MachineError,
    ProgramError,
    UsageError,
)
from lab.kernel.sandbox.sandbox import CLOSE_DEADLINE_S, Sandbox, open_sandbox
from lab.model.shapes import chain
from lab.model.topology import two_hosts

pytestmark = pytest.mark.kernel


@contextmanager
def many_threads(count: int) -> Iterator[None]:
    """Threads at work, so that a lock is held at almost any moment."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            os.environ.get("HOME")
            select.select([], [], [], 0.01)  # less, and they starve what an emulated machine starts

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_call_returns_its_value(sandbox: Sandbox) -> None:
    assert sandbox.call(max, 3, 7) == 7


def test_results_come_in_the_order_of_submission(sandbox: Sandbox) -> None:
    pending = [sandbox.submit(abs, -number) for number in range(20)]
    assert [one.result() for one in pending] == list(range(20))


def test_calls_run_in_pid_1_without_a_visible_parent(sandbox: Sandbox) -> None:
    assert sandbox.call(inside.process_ids) == (1, 0)


def test_calls_run_in_namespaces_of_their_own(sandbox: Sandbox) -> None:
    here, there = inside.namespaces(), sandbox.call(inside.namespaces)
    own = {"net", "mnt", "pid"} if os.geteuid() == 0 else {"net", "mnt", "pid", "user"}
    assert {kind for kind in here if here[kind] != there[kind]} == own


def test_garbage_is_collected_during_calls_and_not_in_what_was_imported_before(
    sandbox: Sandbox,
) -> None:
    assert sandbox.call(gc.isenabled)
    assert sandbox.call(gc.get_freeze_count) > 10_000


@pytest.mark.parametrize("kind", [LabError, KernelRefused, ProgramError, UsageError])
def test_a_lab_error_inside_is_raised_outside(sandbox: Sandbox, kind: type[LabError]) -> None:
    with pytest.raises(LabError, match=r"^no such luck$") as raised:
        sandbox.call(inside.raise_error, kind("no such luck"))
    assert type(raised.value) is kind
    assert sandbox.call(abs, -1) == 1


def test_any_other_error_inside_is_the_labs_own(sandbox: Sandbox) -> None:
    with pytest.raises(InstrumentError, match="ZeroDivisionError"):
        sandbox.call(divmod, 1, 0)
    assert sandbox.call(abs, -1) == 1


def test_it_opens_from_a_process_with_many_threads(marker: str) -> None:
    with many_threads(40), ThreadPoolExecutor(4) as pool:

        def once(number: int) -> int:
            with open_sandbox() as sandbox:
                return sandbox.call(abs, -number)

        assert list(pool.map(once, range(8))) == list(range(8))


def test_the_end_of_the_thread_that_opened_it_is_not_its_end(marker: str) -> None:
    with ExitStack() as stack:
        opened: list[Sandbox] = []
        thread = threading.Thread(target=lambda: opened.append(stack.enter_context(open_sandbox())))
        thread.start()
        thread.join()
        (sandbox,) = opened
        pid = init_pid(sandbox)
        assert sandbox.call(abs, -2) == 2
        assert is_alive(pid)


def test_the_host_stays_as_it_was(marker: str) -> None:
    before = host()
    with open_sandbox() as sandbox:
        sandbox.call(inside.keep_topology, chain(3))
        during = host()
    assert during == before
    assert host() == before


@pytest.mark.skipif(shutil.which("ip") is None, reason="ip is not installed")
def test_namespaces_have_their_names_for_ip_netns_inside(sandbox: Sandbox) -> None:
    sandbox.call(inside.keep_topology, chain(3))
    listed = sandbox.call(inside.output_of, "ip", "netns", "list")
    assert {line.split()[0] for line in listed.splitlines()} == {"h1", "h2", "h3"}
    shown = sandbox.call(inside.output_of, "ip", "netns", "exec", "h2", "ip", "-o", "link")
    assert [line.split()[1].partition("@")[0] for line in shown.splitlines()] == [
        "lo:", "eth0", "eth1",
    ]  # fmt: skip


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_exception_in_the_with_statement_ends_it_in_the_midst_of_a_call(
    marker: str, error: type[BaseException]
) -> None:
    with pytest.raises(error), open_sandbox() as sandbox:
        sandbox.call(inside.start_daemon)
        sandbox.submit(inside.block)
        began = time.monotonic()
        raise error
    assert time.monotonic() - began < CLOSE_DEADLINE_S / 2
    assert not marked(marker)


def test_an_exception_before_the_sandbox_is_up_ends_it(marker: str) -> None:
    with pytest.raises(LookupError), open_sandbox() as sandbox:
        raise LookupError
    assert not Path(f"/proc/{sandbox.supervisor_pid}").exists()
    wait_until_gone(marker)


def test_closing_ends_a_call_that_does_not_end_by_itself(
    marker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.kernel.sandbox.sandbox.CLOSE_DEADLINE_S", 0.2)
    with open_sandbox() as sandbox:
        sandbox.call(inside.start_daemon)
        sandbox.submit(inside.block)
    wait_until_gone(marker)


@pytest.mark.parametrize("module", ["no_such_module", "lab.no_such_module"])
def test_what_is_not_installed_inside_is_named(module: str) -> None:
    refusal = pytest.raises(MachineError, match=f"^{module} is not installed; `make` sets up")
    with open_sandbox(preload=module) as sandbox, refusal:
        sandbox.call(abs, -1)


REFUSED = """
import sys
sys.path[:] = sys.argv[1:]
import inside
from lab.kernel.sandbox.sandbox import open_sandbox
with open_sandbox() as sandbox:
    print(sandbox.call(inside.forbid_user_namespaces_and_try_another_sandbox))
"""


def test_where_user_namespaces_are_forbidden_the_message_says_what_to_do(
    as_sandboxing_nobody: tuple[str, ...],
) -> None:
    command = [*as_sandboxing_nobody, sys.executable, "-c", REFUSED, *sys.path]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.stdout == (
        "KernelRefused: cannot create a user namespace: ENOSPC (No space left on device); run "
        "with sudo, or `wirelab doctor` says how to allow unprivileged user namespaces\n"
    ), done.stderr


def test_a_sandbox_in_a_sandbox_works(sandbox: Sandbox) -> None:
    assert sandbox.call(nested) == 1


def nested() -> int:
    with open_sandbox() as inner:
        inner.call(inside.keep_topology, two_hosts())
        return inner.call(os.getpid)
