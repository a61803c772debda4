from __future__ import annotations

import socket

import inside_broken
import pytest

from lab.errors import KernelRefused, MachineError
from lab.kernel.preflight import (
    Finding,
    build_and_capture,
    examine,
    sandbox_kind,
    try_instrument,
    try_nat,
    try_socket,
    try_view,
)
from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox
from lab.kernel.system import libc
from lab.kernel.tracers import open_tracer


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding("namespaces", True, "open", "sudo"), "ok       namespaces: open"),
        (
            Finding("namespaces", False, "EPERM", "sudo"),
            "MISSING  namespaces: EPERM; to mend: sudo",
        ),
        (Finding("tshark", False, "not here", needed=False), "absent   tshark: not here"),
    ],
)
def test_a_finding_says_how_to_mend_what_is_missing(finding: Finding, line: str) -> None:
    assert str(finding) == line


@pytest.mark.kernel
def test_what_a_run_needs_is_examined_in_the_order_in_which_it_does() -> None:
    found = examine()
    assert all(finding.ok for finding in found if finding.needed)
    subjects = [finding.subject for finding in found]
    wanted = [
        "system", "privilege", "namespaces", "links and capture", "confinement", "bpf",
        "tshark",
    ]  # fmt: skip
    assert [subject for subject in subjects if subject in wanted] == wanted


@pytest.mark.kernel
def test_inside_a_sandbox_links_are_built_and_captured_on(sandbox: Sandbox) -> None:
    assert sandbox.call(build_and_capture).endswith("netifaces agrees")
    assert sandbox.call(sandbox_kind).endswith("mount, pid and network namespaces")


@pytest.mark.kernel
def test_a_socket_that_cannot_be_made_is_named_by_the_systems_own_words(
    sandbox: Sandbox,
) -> None:
    arguments = (socket.AF_INET, socket.SOCK_STREAM)
    assert sandbox.call(try_socket, *arguments, 0) == ""
    assert sandbox.call(try_socket, *arguments, 255) == "Protocol not supported"


@pytest.mark.kernel
@pytest.mark.parametrize("instrument", ["bpf", "ptrace"])
def test_an_instrument_is_there_if_a_run_would_get_it(sandbox: Sandbox, instrument: str) -> None:
    (finding,) = [finding for finding in examine() if finding.subject == instrument]
    try:
        sandbox.call(open_and_close_tracer, instrument)
    except MachineError as error:
        assert not finding.ok
        assert f"{instrument}: {finding.detail};" in str(error)
    else:
        assert finding.ok


@pytest.mark.kernel
def test_a_nat_is_tried_in_a_sandbox_and_what_it_lacks_is_said(sandbox: Sandbox) -> None:
    assert sandbox.call(try_nat) == ""
    with open_sandbox() as another:
        said = another.call(try_nat_without_ctnetlink)
    assert said.startswith("this kernel has no nf_conntrack_netlink (CONFIG_NF_CT_NETLINK;")
    (finding,) = [finding for finding in examine() if finding.subject == "NAT"]
    assert finding.ok
    assert not finding.needed


def try_nat_without_ctnetlink() -> str:
    """Run inside a sandbox: the kernel answers so to any subsystem that it does not have."""
    from lab.kernel.network import conntrack

    original = conntrack.NFNL_SUBSYS_CTNETLINK
    conntrack.NFNL_SUBSYS_CTNETLINK = 200
    try:
        return try_nat()
    finally:
        conntrack.NFNL_SUBSYS_CTNETLINK = original


@pytest.mark.kernel
def test_programs_cannot_be_confined_where_mounts_cannot_be_restricted(sandbox: Sandbox) -> None:
    assert sandbox.call(try_view) == ""
    refusal = sandbox.call(try_view_without_mount_setattr)
    assert refusal == "cannot make the host's files read-only for the programs: no mount_setattr"


def try_view_without_mount_setattr() -> str:
    """Run inside a sandbox."""

    def refuse(where: str | int, attributes: int) -> None:
        raise KernelRefused("no mount_setattr")

    libc.restrict_mounts = refuse
    return try_view()


@pytest.mark.kernel
@pytest.mark.usefixtures("needs_bpf")
def test_what_it_says_of_bpf_is_what_a_run_will_meet(sandbox: Sandbox) -> None:
    """The kernel passes the probe, and refuses one of the programs."""
    assert sandbox.call(try_instrument, "bpf") == ""
    said = sandbox.call(inside_broken.why_no_bpf_with_a_refused_program)
    assert said.startswith("load the BPF program wirelab_sys_enter: E")


def open_and_close_tracer(name: str) -> None:
    """Run inside a sandbox. Raises MachineError."""
    tracer, _ = open_tracer(name)
    assert tracer is not None
    tracer.close()
