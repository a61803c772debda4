"""`wirelab shell`: a prompt in a network, where all that happens is recorded."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.kernel.session.control import Control
    from lab.records import Recording

FAILED, INTERRUPTED = 2, 130  # the latter is a shell's, of what SIGINT has ended


def execute(options: Namespace) -> int:
    """Build the network, do what is asked at the prompt, and report."""
    from lab.ad_hoc import session_scenario
    from lab.cli.prompt.interrupts import Interrupts
    from lab.cli.prompt.lines import scripted
    from lab.cli.prompt.network import names_of
    from lab.cli.prompt.session import Session
    from lab.cli.prompt.terminal import is_terminal
    from lab.cli.prompt.typed import typed
    from lab.cli.results import allowed_of, print_report, sysctls_of
    from lab.model.family import Family
    from lab.results import exit_status
    from lab.run import run_scenario
    from lab.scenario_files import topology_called

    family = Family(int(options.family))
    scenario = session_scenario(topology_called(options.topology))
    names_of(scenario, family)  # a mistake is found before anything is built
    status = 0
    is_typed = not options.lines and is_terminal()

    def serve(control: Control) -> None:
        nonlocal status
        with Interrupts() as interrupts:
            session = Session(
                control,
                scenario,
                family,
                interrupts,
                draw=lambda recording: _draw(recording, options),
                has_terminal=is_typed,
            )
            lines = (
                typed(session.names, interrupts)
                if is_typed
                else scripted(options.lines, interrupts)
            )
            try:
                session.execute_all(lines)
            except KeyboardInterrupt:
                # What has happened is worth a report.
                status = INTERRUPTED
            else:
                # Somebody who types has seen what failed.
                status = FAILED if session.failed_lines and not is_typed else 0

    result = run_scenario(
        scenario,
        family,
        options.out,
        options.trace,
        lambda result: print_report(result, options),
        allowed=allowed_of(options),
        notes_lines=options.source,
        keeps_secrets=not options.no_secrets,
        wire=options.wire,
        sysctls=sysctls_of(options),
        expected=options.expect,
        session=serve,
    )
    return status or exit_status([result])


def _draw(recording: Recording, options: Namespace) -> None:
    """What has happened so far, as the report will have it, but for calls."""
    from contextlib import ExitStack

    from lab.cli.results import open_page
    from lab.report.terminal.run_ladder import draw_so_far
    from lab.run import understood

    with ExitStack() as stack:
        page = open_page(options, stack)
        page.print(draw_so_far(understood(recording), page.style))
