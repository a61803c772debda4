"""What this machine allows and lacks for the lab, and how to mend that."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from lab.errors import LabError, MachineError
from lab.frozen import frozen
from lab.kernel.sandbox.sandbox import Sandbox, open_sandbox
from lab.kernel.system.capabilities import has_capabilities
from lab.kernel.trace.ptrace.library import PLACE, load

IPPROTO_SCTP = 132
IPPROTO_MPTCP = 262

# What distributions have put before user namespaces.
USER_NAMESPACE_SYSCTLS = (
    # sysctl, the value that forbids, a value that allows
    ("kernel/unprivileged_userns_clone", "0", "1"),  # Debian
    ("user/max_user_namespaces", "0", "15000"),
    ("user/max_net_namespaces", "0", "15000"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),  # Ubuntu from 23.10 on
)


@frozen
class Finding:
    """The result of one check."""

    subject: str
    ok: bool
    detail: str
    mend: str = ""
    needed: bool = True
    """Whether the lab cannot run at all without it."""

    def __str__(self) -> str:
        mark = "ok" if self.ok else "MISSING" if self.needed else "absent"
        mend = f"; to mend: {self.mend}" if self.mend and not self.ok else ""
        return f"{mark:<8} {self.subject}: {self.detail}{mend}"


def examine() -> tuple[Finding, ...]:
    """Everything the lab needs or can use, in the order in which it is needed."""
    return tuple(_examine())


def _examine() -> Iterator[Finding]:
    system = Finding(
        "system",
        platform.system() == "Linux",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "run the lab on Linux, in a virtual machine: cd vagrant && vagrant up",
    )
    yield system
    if not system.ok:
        return  # the checks below are about Linux
    privileged = has_capabilities("CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_NET_RAW")
    without = f"uid {os.geteuid()}, no capabilities; a user namespace gives them to a sandbox"
    yield Finding("privilege", True, "root's capabilities" if privileged else without)
    in_sandbox = tuple(_sandbox())
    works = all(finding.ok or not finding.needed for finding in in_sandbox)
    yield from _user_namespace_sysctls(needed=not works)
    yield from in_sandbox
    for tool, use in (("tshark", "cross-checks in the tests"), ("mn", "`make bench-setup`")):
        found = shutil.which(tool)
        package = "mininet" if tool == "mn" else tool
        yield Finding(
            tool,
            found is not None,
            found or "not installed",
            f"apt-get install {package} ({use})",
            needed=False,
        )


def _user_namespace_sysctls(*, needed: bool) -> Iterator[Finding]:
    """Those of USER_NAMESPACE_SYSCTLS that this kernel has."""
    for key, forbidding, wanted in USER_NAMESPACE_SYSCTLS:
        path = Path("/proc/sys") / key
        try:
            value = path.read_text("ascii").strip()
        except OSError:
            continue  # this kernel has no such switch
        name = key.replace("/", ".")
        or_sudo = "" if os.geteuid() == 0 else ", or use sudo"
        mend = f"sudo sysctl {name}={wanted}{or_sudo}"
        allowed = value != forbidding
        detail = f"{value}, so that ordinary users {'may' if allowed else 'may not'} open a sandbox"
        yield Finding(name, allowed, detail, mend, needed)


def _sandbox() -> Iterator[Finding]:
    """Whether a sandbox opens, and what its namespaces can do."""
    subject = "namespaces"
    try:
        with open_sandbox() as sandbox:
            kind = sandbox.call(sandbox_kind)
            yield Finding(subject, True, f"a sandbox opens ({kind})")
            subject = "links and capture"
            yield Finding(subject, True, sandbox.call(build_and_capture))
            yield from _features(sandbox)
    except LabError as error:
        why = error.refusal if isinstance(error, MachineError) else str(error)
        sudo = "" if os.geteuid() == 0 else "sudo; "
        mend = f"{sudo}in a container: --privileged, or less by docs/ci.md"
        yield Finding(subject, False, why, mend)


def _features(sandbox: Sandbox) -> Iterator[Finding]:
    """What some runs need: without it scenarios are skipped, and programs of yours refused."""
    refusal = sandbox.call(try_view)
    detail = refusal or "programs of yours see the host's files read-only (docs/isolation.md)"
    mend = "Linux 5.12 or newer; in a container, --privileged; else --host-files"
    yield Finding("confinement", not refusal, detail, mend, needed=False)
    probes = (
        ("SCTP", "sudo modprobe sctp",
         (socket.AF_INET, socket.SOCK_SEQPACKET, IPPROTO_SCTP)),
        ("MPTCP", "a kernel from 5.6 on with CONFIG_MPTCP and net.mptcp.enabled=1",
         (socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)),
    )  # fmt: skip
    for name, mend, arguments in probes:
        refusal = sandbox.call(try_socket, *arguments)
        yield Finding(name, not refusal, refusal or "sockets can be made", mend, needed=False)
    refusal = sandbox.call(try_netem)
    mend = "sudo modprobe sch_netem"
    yield Finding("netem", not refusal, refusal or "delay and loss can be set", mend, needed=False)
    refusal = sandbox.call(try_nat)
    offer = "nf_tables and conntrack translate addresses and ports, of IPv4 and IPv6"
    mend = "a kernel with that part; load its module where it is one"
    yield Finding("NAT", not refusal, refusal or offer, mend, needed=False)
    kernel = "Linux from 6.1 on with CONFIG_BPF_SYSCALL and CONFIG_DEBUG_INFO_BTF, not locked down"
    instruments = (
        ("bpf", "calls, states and drops from the kernel's tracepoints",
         kernel if os.geteuid() == 0 else "sudo"),
        ("ptrace", "calls, and states when they end",
         "x86_64 or aarch64; sudo sysctl kernel.yama.ptrace_scope=1"),
    )  # fmt: skip
    for name, offer, mend in instruments:
        refusal = sandbox.call(try_instrument, name)
        yield Finding(name, not refusal, refusal or offer, mend, needed=False)
    refusal = load(PLACE)[1]
    offer = "ptrace's plain stops are served in C, the others in Python"
    mend = f"a compiler of C (cc), then {sys.executable} -m lab.kernel.trace.ptrace.library"
    yield Finding("stops.so", not refusal, refusal or offer, mend, needed=False)


def sandbox_kind() -> str:
    """Run inside a sandbox: the namespaces it consists of."""
    from lab.kernel.network.namespace import in_user_namespace

    kinds = "mount, pid and network namespaces"
    return f"user, {kinds}" if in_user_namespace() else kinds


def build_and_capture() -> str:
    """Run inside a sandbox: build two hosts, check them, capture on them; what works."""
    from lab.kernel.capture.capture import PointName, begin_captures, open_captures
    from lab.kernel.network.namespace import build_topology
    from lab.kernel.network.witness import check_interfaces
    from lab.model.topology import two_hosts

    topology = two_hosts()
    with build_topology(topology) as namespaces:
        check_interfaces(namespaces)
        (link,) = topology.links
        begin_captures(
            open_captures(
                [
                    (namespaces[end.host], PointName(end.host, end.name, link.name))
                    for end in link.ends
                ]
            )
        )
    return "veth, IPv4, IPv6 and raw capture sockets work; netifaces agrees"


def try_socket(domain: int, kind: int, protocol: int) -> str:
    """Run inside a sandbox: why such a socket cannot be made; "" if it can."""
    try:
        socket.socket(domain, kind, protocol).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def try_instrument(name: str) -> str:
    """Run inside a sandbox: why it cannot trace with "bpf" or "ptrace"; "" if it can."""
    from lab.kernel.tracers import why_no_tracer

    return why_no_tracer(name)


def try_view() -> str:
    """Run inside a sandbox: why programs cannot be confined; "" if they can."""
    from lab.kernel.sandbox.view import Files, View

    view = View(Files(()))
    try:
        view.wait()
    except MachineError as error:
        return error.refusal
    finally:
        view.close()
    return ""


def try_nat() -> str:
    """Run inside a sandbox: which part of a NAT this kernel lacks; "" if none."""
    from lab.kernel.network.conntrack import read_tracked
    from lab.kernel.network.namespace import build_topology
    from lab.model.layout import laid_out
    from lab.model.topology import Nat

    cables = [("nat-inside", "nat"), ("nat", "nat-outside")]
    try:
        with (
            build_topology(laid_out(cables, nats=(Nat("nat", ("eth1",)),))) as namespaces,
            namespaces["nat"].entered(),
        ):
            read_tracked()
    except MachineError as error:
        return error.refusal
    return ""


def try_netem() -> str:
    """Run inside a sandbox: why there is no netem queueing discipline; "" if there is."""
    from lab.kernel.network.namespace import LOOPBACK_INDEX
    from lab.kernel.network.netlink import check_netem

    try:
        check_netem(LOOPBACK_INDEX)
    except LabError as error:
        return str(error)
    return ""
