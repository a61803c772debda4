"""`wirelab run`: scenarios, or two programs of anybody's, in full."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it
if TYPE_CHECKING:
    from argparse import Namespace

    from lab.model.scenario import Scenario
    from lab.results import Result


def execute(options: Namespace) -> int:
    """Run what is wanted, with the full report of each run."""
    from lab.cli.results import allowed_of, capturing_of, collect, families, reports, sysctls_of
    from lab.run import ad_hoc_runs, run_scenario, wanted_runs
    from lab.scenario_files import find_scenario

    chosen = families(options.family)
    allowed = allowed_of(options)
    sysctls = sysctls_of(options)
    capturing = capturing_of(options)
    ad_hoc = _ad_hoc_scenario(options)
    # By what was typed, so that a script knows which of the two it gets.
    several = len(options.names) > 1 or len(chosen) > 1
    expected = _expected(options, several=several)
    files = (find_scenario(name, options.scenarios) for name in options.names)
    wanted = ad_hoc_runs(ad_hoc, chosen) if ad_hoc else wanted_runs(files, chosen)
    with reports(options, several=several) as present:
        runs = (
            run_scenario(
                which,
                family,
                options.out,
                options.trace,
                present,
                allowed=allowed,
                notes_lines=options.source,
                keeps_secrets=not options.no_secrets,
                wire=options.wire,
                sysctls=sysctls,
                capturing=capturing,
                expected=expected,
            )
            for which, family in wanted
        )
        results = collect(runs, options.junit)
    # Not before: the sandbox need not wait for what results are made of.
    from lab.results import exit_status

    if options.update_snapshot:
        _write_snapshot(results[0], options.snapshot)
    return exit_status(results)


def _expected(options: Namespace, *, several: bool) -> list[str]:
    """What --expect and --snapshot ask for, in words. Raises UsageError."""
    if options.snapshot is None:
        if options.update_snapshot:
            from lab.errors import UsageError

            raise UsageError("--update-snapshot goes with --snapshot FILE")
        return list(options.expect)
    if several:
        from lab.errors import UsageError

        raise UsageError("--snapshot is of one run: give one NAME and one --family")
    if options.update_snapshot:
        return list(options.expect)
    from lab.cli.expected.snapshot import read_snapshot

    return [*options.expect, f"looks-like:{read_snapshot(options.snapshot)}"]


def _write_snapshot(result: Result, file: str) -> None:
    from pathlib import Path

    from lab.cli.expected.snapshot import snapshot_text
    from lab.derive import write_text

    write_text(snapshot_text(result), Path(file))
    print(f"Snapshot: {file}")


def _network_scenario(options: Namespace) -> Scenario:
    """What --topology and --on ask for. Raises UsageError."""
    from lab.errors import UsageError

    if options.topology is None or not options.on:
        raise UsageError("--topology and --on go together")
    if options.names or options.server is not None or options.client is not None or options.unix:
        raise UsageError("--on goes without names, --server, --client and --unix")
    from lab.ad_hoc import DEADLINE_S, ad_hoc_network
    from lab.scenario_files import topology_called

    return ad_hoc_network(
        topology_called(options.topology),
        [(host, command) for host, command in options.on],
        port=options.port,
        deadline_s=options.deadline or DEADLINE_S,
        waits=not options.no_wait,
        linger_s=options.linger,
    )


def _ad_hoc_scenario(options: Namespace) -> Scenario | None:
    """What --server and --client ask for; None where names do. Raises UsageError."""
    from lab.errors import UsageError

    server, client = options.server, options.client
    if options.topology is not None or options.on:
        return _network_scenario(options)
    if server is None and client is None:
        if not options.names:
            raise UsageError("run what? Give a scenario's NAME, or both --server and --client")
        given = options.port, options.deadline, options.linger
        if options.unix or options.no_wait or any(each is not None for each in given):
            raise UsageError(
                "--port, --unix, --deadline, --no-wait and --linger go with --server and --client"
            )
        return None
    if options.names:
        raise UsageError("run either scenarios by NAME or --server and --client, not both")
    if client is None:
        raise UsageError("--server needs --client as well; --client can be run alone")
    if server is None and (options.no_wait or options.linger is not None):
        raise UsageError("--no-wait and --linger go with --server as well")
    from lab.ad_hoc import DEADLINE_S, ad_hoc_scenario

    return ad_hoc_scenario(
        server,
        client,
        port=options.port,
        unix=options.unix,
        deadline_s=options.deadline or DEADLINE_S,
        waits=not options.no_wait,
        linger_s=options.linger,
    )
