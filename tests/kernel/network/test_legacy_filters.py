"""Which programs' calls change a packet filter, and that an ordinary user's run says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from ad_hoc_run import AdHocRun, python
from traced import call

from lab.kernel.network.configuration import filter_changers

REPLACE = b"filter" + bytes(26)


def test_only_a_table_that_was_replaced_is_a_change() -> None:
    calls = [
        call("reads", "getsockopt", 3, 0, 64, REPLACE, 84),
        call("counts", "setsockopt", 3, 0, 65, REPLACE, 32),
        call("fails", "setsockopt", 3, 0, 64, REPLACE, 32, result=-1),
        call("waits", "setsockopt", 3, 0, 64, REPLACE, 32, result=None),
        call("other", "setsockopt", 3, 6, 64, REPLACE, 32),
        call("new", "setsockopt", 3, 41, 64, REPLACE, 32),
        call("old", "setsockopt", 3, 0, 64, REPLACE, 32),
        call("new", "setsockopt", 3, 41, 64, REPLACE, 32),
    ]
    assert filter_changers(calls) == ("new", "old")


DROPS = """
import os, socket, subprocess
os.environ["XTABLES_LOCKFILE"] = "/tmp/lock"
done = subprocess.run(["iptables-legacy", "-A", "OUTPUT", "-p", "udp", "-j", "DROP"],
                      capture_output=True, text=True)
print(done.returncode, done.stderr, flush=True)
s = socket.socket(type=socket.SOCK_DGRAM)
try:
    s.sendto(b"dropped", ("{server}", {port}))
except PermissionError as error:
    print(error.strerror)
"""
WAITS = """
import socket
s = socket.socket(type=socket.SOCK_DGRAM)
s.bind(("", {port}))
s.settimeout(0.1)
try:
    s.recv(10)
except TimeoutError:
    pass
"""


@pytest.mark.kernel
@pytest.mark.parametrize("trace", ["auto", "none"])
def test_what_iptables_legacy_changes_is_named_by_its_calls(
    ad_hoc: Callable[..., AdHocRun], trace: str
) -> None:
    if shutil.which("iptables-legacy") is None:
        pytest.skip("there is no iptables-legacy here")
    run = ad_hoc(python(WAITS), python(DROPS), "--cap", "net_admin", trace=trace)
    wrote = run.wrote["client"]
    if not wrote.startswith("0 "):
        pytest.skip(f"iptables-legacy cannot be used here: {wrote}")
    assert wrote.endswith("Operation not permitted\n")
    changed = "program client disturbed the run: on host client, the packet filter was changed"
    unseen = "packet filter: not of tables that iptables-legacy(8) makes"
    # Root reads the tables; an ordinary user's run has the calls, or says what it has not.
    assert (changed in run.head) != (unseen in run.head)
    if trace == "auto":
        assert changed in run.head
