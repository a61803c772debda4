"""`wirelab step`: a run whose frames wait for somebody's decisions."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from lab.kernel.stepping.control import StepControl
    from lab.model.scenario import Scenario
    from lab.results import Result

STEP_DEADLINE_S = 600.0


def execute(options: Namespace) -> int:
    """Run what is wanted, let its frames be decided on, and report."""
    from lab.cli.results import allowed_of, print_report, sysctls_of
    from lab.cli.stepped.terminal import need_terminal
    from lab.screen.needed import need_textual

    need_textual()
    need_terminal()
    import os

    from lab.kernel.stepping.updates import Stepping
    from lab.model.family import Family
    from lab.results import exit_status
    from lab.run import run_scenario
    from lab.screen.step import step_through
    from lab.stepping.live import Live

    wanted, name = wanted_step(options)

    def step(control: StepControl) -> None:
        step_through(control, Live(name, os.uname().machine), options.at_quit)

    result = run_scenario(
        wanted,
        Family(int(options.family)),
        options.out,
        options.trace,
        lambda result: print_report(result, options),
        allowed=allowed_of(options),
        notes_lines=options.trace != "none" and not options.no_source,
        keeps_secrets=not options.no_secrets,
        wire=options.wire,
        sysctls=sysctls_of(options),
        expected=options.expect,
        stepping=Stepping(options.deadline or STEP_DEADLINE_S, options.hold_all),
        step=step,
    )
    if options.save_rules:
        _save_rules(result, options.save_rules)
    return exit_status([result])


def wanted_step(options: Namespace) -> tuple[Path | Scenario, str]:
    """What is to be stepped, and what it is called. Raises UsageError."""
    from lab.errors import UsageError

    server, client = options.server, options.client
    if options.name:
        if server is not None or client is not None:
            raise UsageError("step either a scenario by NAME or --server and --client, not both")
        if options.port is not None:
            raise UsageError("--port goes with --server and --client")
        from lab.scenario_files import find_scenario

        path = find_scenario(options.name, options.scenarios)
        return path, path.stem
    if client is None:
        raise UsageError("step what? Give a scenario's NAME, or both --server and --client")
    from lab.ad_hoc import ad_hoc_scenario

    scenario = ad_hoc_scenario(server, client, port=options.port)
    return scenario, scenario.name


def _save_rules(result: Result, file: str) -> None:
    from pathlib import Path

    from lab.derive import write_text
    from lab.stepping.saved import rules_file

    write_text(rules_file(result.timelines), Path(file))
    print(f"Rules: {file}")
