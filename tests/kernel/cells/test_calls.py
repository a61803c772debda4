"""The filter of a cell, interpreted as the kernel would; docs/submissions.md has what it is for."""

from __future__ import annotations

import errno
import socket

import pytest
from filter_verdict import verdict

from lab.errors import MachineError
from lab.kernel.cells.calls import REFUSAL, X32_BIT, cell_program
from lab.kernel.system.seccomp import AUDIT_ARCHITECTURES, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
from lab.syscalls.i386 import SYSCALL_ARCHITECTURE
from lab.syscalls.numbers import NUMBERS, OTHER_NUMBERS
from lab.syscalls.refused import NEWEST, REFUSED_NUMBERS

UNKNOWN = SECCOMP_RET_ERRNO | errno.ENOSYS
PTHREAD = 0x003D0F00  # what glibc's pthread_create(3) gives clone(2)
NEW = {
    "CLONE_NEWTIME": 0x80,
    "CLONE_NEWNS": 0x20000,
    "CLONE_NEWCGROUP": 0x2000000,
    "CLONE_NEWUTS": 0x4000000,
    "CLONE_NEWIPC": 0x8000000,
    "CLONE_NEWUSER": 0x10000000,
    "CLONE_NEWPID": 0x20000000,
    "CLONE_NEWNET": 0x40000000,
}

machines = pytest.mark.parametrize("machine", REFUSED_NUMBERS)


def said(machine: str, number: int, *arguments: int) -> int:
    return verdict(cell_program(machine), AUDIT_ARCHITECTURES[machine], number, *arguments)[0]


@machines
def test_what_is_refused_fails_with_eperm_and_nothing_else_does(machine: str) -> None:
    program = cell_program(machine)
    special = {NUMBERS[machine][name] for name in ("socket", "socketpair")}
    special |= {OTHER_NUMBERS[machine][name] for name in ("clone", "clone3")}
    refused = set(REFUSED_NUMBERS[machine].values())
    for number in set(range(NEWEST + 1)) - special:
        found, steps = verdict(program, AUDIT_ARCHITECTURES[machine], number)
        assert found == (REFUSAL if number in refused else SECCOMP_RET_ALLOW), number
        assert steps <= 14


@machines
def test_the_kernel_takes_the_program(machine: str) -> None:
    program = cell_program(machine)
    assert all(0 <= skip <= 255 for _, *skips, _ in program for skip in skips)
    assert len(program) <= 4096


@machines
@pytest.mark.parametrize("name", NEW)
def test_clone_makes_threads_and_processes_and_no_namespaces(machine: str, name: str) -> None:
    clone = OTHER_NUMBERS[machine]["clone"]
    assert said(machine, clone, PTHREAD) == said(machine, clone, 17) == SECCOMP_RET_ALLOW
    assert said(machine, clone, PTHREAD | NEW[name]) == REFUSAL
    assert said(machine, clone, 17 | NEW[name]) == REFUSAL


@machines
def test_clone3_and_calls_to_come_are_as_for_an_older_kernel(machine: str) -> None:
    assert said(machine, OTHER_NUMBERS[machine]["clone3"]) == UNKNOWN
    assert said(machine, NEWEST + 1) == said(machine, X32_BIT - 1) == UNKNOWN


@machines
@pytest.mark.parametrize("call", ["socket", "socketpair"])
def test_sockets_are_unix_and_internet_sockets_and_routing_netlink(machine: str, call: str) -> None:
    number = NUMBERS[machine][call]
    for family in (int(socket.AF_UNIX), int(socket.AF_INET), int(socket.AF_INET6)):
        assert said(machine, number, family, socket.SOCK_STREAM, 0) == SECCOMP_RET_ALLOW
        assert said(machine, number, family, socket.SOCK_DGRAM, 17) == SECCOMP_RET_ALLOW
    assert said(machine, number, socket.AF_NETLINK, socket.SOCK_RAW, 0) == SECCOMP_RET_ALLOW
    for protocol in range(1, 24):  # NETLINK_NETFILTER, NETLINK_SOCK_DIAG, NETLINK_GENERIC …
        assert said(machine, number, socket.AF_NETLINK, socket.SOCK_RAW, protocol) == REFUSAL
    others = set(range(46)) - {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
    for family in others:  # AF_PACKET, AF_ALG, AF_VSOCK, AF_KEY …
        assert said(machine, number, family, socket.SOCK_STREAM, 0) == REFUSAL


def test_other_tables_of_calls_are_refused_whole() -> None:
    program = cell_program("x86_64")
    for number in (0, 1, 20, 102, 359):
        assert verdict(program, SYSCALL_ARCHITECTURE, number)[0] == REFUSAL
        assert said("x86_64", X32_BIT | number) == REFUSAL
    assert verdict(cell_program("aarch64"), 0x40000028, 1)[0] == REFUSAL  # AUDIT_ARCH_ARM


def test_a_machine_without_numbers_has_no_cells() -> None:
    with pytest.raises(MachineError, match="cannot hold a program in a cell on riscv64"):
        cell_program("riscv64")
