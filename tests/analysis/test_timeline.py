from __future__ import annotations

from dataclasses import replace

import recorded as r

from lab.analysis.assembly import build_timelines
from lab.records import Disturbance, SysctlSet


def test_the_programs_that_failed_have_a_sentence_each() -> None:
    recording = r.recorded(4)
    server, client = recording.programs
    (whole,) = build_timelines(recording)
    assert whole.failures == ()
    failed = replace(recording, programs=(server, replace(client, failure="exited with status 3")))
    (timeline,) = build_timelines(failed)
    assert timeline.failures == ("program client exited with status 3",)


def test_what_disturbed_the_run_is_a_sentence_of_its_step() -> None:
    recording = r.recorded(4)
    step = recording.programs[0].step
    noted = tuple(Disturbance(each, ("server",), "it is down") for each in (step, "another"))
    first, second = build_timelines(replace(recording, disturbances=noted))
    assert first.failures == ("program server disturbed the run: it is down",) == second.failures
    assert (first.step, second.step) == (step, "another")


def test_a_sysctl_that_the_run_set_can_be_asked_for() -> None:
    recording = replace(
        r.recorded(4),
        sysctls=(
            SysctlSet("client", "net.ipv4.tcp_sack", "0", "1", "0"),
            SysctlSet("client", "net.ipv4.tcp_new", "0", None, None),
        ),
    )
    (timeline,) = build_timelines(recording)
    assert timeline.sysctl("client", "net.ipv4.tcp_sack") == "0"
    assert timeline.sysctl("client", "net.ipv4.tcp_new") is None
    assert timeline.sysctl("server", "net.ipv4.tcp_sack") is None
