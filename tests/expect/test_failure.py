from __future__ import annotations

from lab.expect.expectation import Expectation, unmet
from lab.expect.failure import ExpectationFailed, ExpectationUndecided


def test_a_failure_is_an_assertion_that_keeps_what_was_asked() -> None:
    verdict = unmet("it is not", [])
    asked = Expectation("x", "X.", "x(1)", lambda _: verdict)
    failure = ExpectationUndecided("text", asked, verdict)
    assert isinstance(failure, AssertionError)
    assert isinstance(failure, ExpectationFailed)
    assert (str(failure), failure.expectation, failure.verdict) == ("text", asked, verdict)
