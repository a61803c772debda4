"""The function that a sandbox's init is called with to record a run, light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.kernel.capture.spooled import SpooledFrames
    from lab.kernel.plan import Plan
    from lab.kernel.system.message_socket import Talk
    from lab.records import Recording


def record(plan: Plan) -> Recording:
    """What was observed in a run of the plan. To be called by Sandbox.submit.

    The parent refers to this function without importing pyroute2 and all else that runs it.
    Raises as experiment.run_plan does.
    """
    return record_spooled(plan)[0]


def record_spooled(plan: Plan) -> tuple[Recording, SpooledFrames]:
    """The same without frames, and where these are: in the plan's spools."""
    from lab.kernel.experiment import run_plan

    return run_plan(plan)


def record_session(talk: Talk, plan: Plan) -> Recording:
    """The same of a session, whose caller asks for programs. To be called by Sandbox.converse."""
    return record_session_spooled(talk, plan)[0]


def record_session_spooled(talk: Talk, plan: Plan) -> tuple[Recording, SpooledFrames]:
    """The same without frames, and where these are: in the plan's spools."""
    from lab.kernel.experiment import run_plan

    return run_plan(plan, talk)
