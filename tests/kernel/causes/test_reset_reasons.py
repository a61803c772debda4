"""A RST that only its kernel can explain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ad_hoc_run import DONE, SHOWN, AdHocRun, python

pytestmark = pytest.mark.kernel

STATE = "c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]"
"""4 is FIN-WAIT-1, 5 is FIN-WAIT-2: the peer has acknowledged the FIN, and not sent its own."""


def test_linger2_below_zero_is_the_kernels_reason(ad_hoc: Callable[..., AdHocRun]) -> None:
    one = SHOWN["reset-reason"]
    client = one.client.replace("c.close()", f"print({STATE})\nc.close()")
    run = ad_hoc(python(one.server), python(client), "--verbose", trace="auto")
    assert (run.done.returncode, run.wrote["client"]) == (DONE, "5\n"), run.done.stdout
    found = run.causes
    by_kernel = any(
        each["kind"] == "states" and each["obtained"] == "measured"
        for each in run.report["instruments"]
    )
    assert ("reset-reason" in found) is by_kernel
    if by_kernel:
        assert "gives TCP_ABORT_ON_LINGER as its reason" in found["reset-reason"]
