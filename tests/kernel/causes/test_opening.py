"""Why Fast Open sent nothing with its SYN, and why MSG_ZEROCOPY copied, is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import SHOWN, AdHocRun, python, typed

pytestmark = pytest.mark.kernel

FAST = ["--sysctl", "net.ipv4.tcp_fastopen=3"]
ONCE, THEN_NO_MORE = SHOWN["fast-open-no-cookie"], SHOWN["fast-open-fell-back"]
UNASKED = ONCE.server.replace("s.setsockopt", "()  # ")


def twice(program: str) -> str:
    assert "range(1)" in program
    return program.replace("range(1)", "range(2)")


@pytest.mark.parametrize("name", ["fast-open-no-cookie", "fast-open-not-granted"])
def test_why_the_syn_carries_no_data_is_said(ad_hoc: Callable[..., AdHocRun], name: str) -> None:
    run = ad_hoc(*typed(name), trace="auto")
    assert [cause["name"] for cause in run.report["causes"]] == [name]


@pytest.mark.parametrize(
    ("server", "client", "names"),
    [
        (UNASKED, ONCE.client, ["fast-open-not-granted"]),
        (twice(ONCE.server), twice(ONCE.client), []),
    ],
    ids=["not-asked-for", "used"],
)
def test_near_to_that_another_cause_is_said_or_none(
    ad_hoc: Callable[..., AdHocRun], server: str, client: str, names: list[str]
) -> None:
    run = ad_hoc(python(server), python(client), *FAST, trace="auto")
    assert [cause["name"] for cause in run.report["causes"]] == names


def test_data_in_a_syn_that_the_server_leaves_is_said(ad_hoc: Callable[..., AdHocRun]) -> None:
    """It takes no more of them once the first connection has brought the client a cookie."""
    run = ad_hoc(*typed(THEN_NO_MORE.cause), trace="auto")
    found = run.causes
    assert set(found) == {"fast-open-no-cookie", "fast-open-fell-back"}
    assert "carries 5 bytes, and the SYN-ACK" in found["fast-open-fell-back"]


ASK = "c.recvmsg(1, 200, socket.MSG_ERRQUEUE)"
SAY = f"print({ASK}[1][0][2][6])"
"""The code of what the kernel reports in the error queue: SO_EE_CODE_ZEROCOPY_COPIED is 1."""


def test_a_send_that_was_to_copy_nothing_and_was_copied(ad_hoc: Callable[..., AdHocRun]) -> None:
    client = SHOWN["zerocopy-copied"].client
    assert ASK in client
    run = ad_hoc("", python(client.replace(ASK, SAY)), trace="auto")
    names = [cause["name"] for cause in run.report["causes"]]
    was_copied = run.wrote["client"].strip() == "1"
    assert names == (["zerocopy-copied"] if was_copied else [])
