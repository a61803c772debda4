from __future__ import annotations

from collections.abc import Callable

import pytest
from expected import outcome_of, result_of

from lab.errors import UsageError
from lab.expect import TCP, ExpectationFailed, ExpectationUndecided
from lab.model.claim import Outcome
from lab.results import Result

Asked = Callable[[Result], object]

MET: dict[str, Asked] = {
    "handshake": lambda run: run.tcp().handshake().no_reset().closes_with_fin(by="client"),
    "chosen": lambda run: run.tcp(4242, client="client", server="server", nth=1).handshake(),
    "round trips": lambda run: run.tcp().round_trips(at_most=2),
    "bytes": lambda run: run.tcp().bytes(client=48, server=43),
    "segments": lambda run: run.tcp().segments(*[TCP()] * 18, pure_acks=True),
    "frames": lambda run: run.frames(src="client").expect(TCP(flags="SYN"), TCP(flags="FIN")),
    "any order": lambda run: run.frames().expect(
        TCP(flags="FIN"), TCP(flags="SYN"), in_any_order=True
    ),
    "count": lambda run: run.frames().number(20),
    "nothing on": lambda run: run.nothing_on("lo"),
    "clear text": lambda run: run.no_clear_text(b"secret"),
    "never": lambda run: run.calls("server").never("shutdown"),
    "made": lambda run: run.calls("client").named("connect").made(times=1),
    "connect": lambda run: run.connect().returns_within(ms=60_000),
    "retransmissions": lambda run: run.retransmissions(at_most=0),
    "exits": lambda run: run.program("server").exits(0),
    "prints": lambda run: run.program("client").prints("connect("),
    "no reset": lambda run: run.no_reset(),
}
UNMET: dict[str, Asked] = {
    "closes": lambda run: run.tcp().closes_with_fin(by="server"),
    "round trips": lambda run: run.tcp().round_trips(at_most=1),
    "bytes": lambda run: run.tcp().bytes(client=b"Hello"),
    "segments": lambda run: run.tcp().segments(TCP()),
    "frames": lambda run: run.frames(src="server").expect(TCP(flags="SYN")),
    "none else": lambda run: run.frames().expect(TCP(), none_else=True),
    "none": lambda run: run.frames().none(),
    "nothing on": lambda run: run.nothing_on("eth0"),
    "silent": lambda run: run.silent(),
    "clear text": lambda run: run.no_clear_text("Hello"),
    "never": lambda run: run.calls().never("connect"),
    "made": lambda run: run.calls("server").named("connect").made(),
    "connect": lambda run: run.connect("client").returns_within(ms=0.000_001),
    "exits": lambda run: run.program("client").exits(1),
    "prints": lambda run: run.program("client").prints("good bye"),
}
UNCLEAR: dict[str, Asked] = {
    "no such connection": lambda run: run.tcp(port=80).no_reset(),
    "no such program": lambda run: run.program("proxy").exits(0),
    "no such call": lambda run: run.calls("server").named("connect").returns_within(ms=1),
}


@pytest.mark.parametrize("name", MET)
def test_what_is_so_passes(name: str) -> None:
    run = result_of("traced-tcp4")
    MET[name](run)
    assert run.expected


@pytest.mark.parametrize("name", UNMET)
def test_what_is_not_so_fails_with_what_was_seen(name: str) -> None:
    with pytest.raises(ExpectationFailed) as failed:
        UNMET[name](result_of("traced-tcp4"))
    text = str(failed.value)
    assert text.startswith("BROKEN: ")
    assert "expected:" in text
    assert "actual:" in text
    assert failed.value.verdict.outcome is Outcome.BROKEN


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_is_not_decided_fails_as_well(name: str) -> None:
    with pytest.raises(ExpectationUndecided, match=r"^UNDECIDED: "):
        UNCLEAR[name](result_of("traced-tcp4"))


def test_all_that_was_expected_is_kept() -> None:
    run = result_of("tcp4")
    assert run.expected == []
    run.tcp().handshake().no_reset()
    assert outcome_of(run.silent) is Outcome.BROKEN
    assert [each.name for each in run.expected] == ["handshake", "no-reset", "silent"]
    assert result_of("tcp4").expected == []


def test_a_step_is_looked_at_by_itself_and_its_expectations_are_the_runs() -> None:
    run = result_of("traced-unix4")
    run.in_step("conversation").silent()
    assert outcome_of(run.silent) is Outcome.BROKEN
    assert [each.name for each in run.expected] == ["silent", "silent"]
    with pytest.raises(UsageError, match="it has"):
        run.in_step("unics")
