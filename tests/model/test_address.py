from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from lab.model.address import EndpointAddress, SocketAddress, UnixName


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (SocketAddress(IPv4Address("198.51.100.1"), 40858), "198.51.100.1:40858"),
        (SocketAddress(IPv6Address("2001:db8::1"), 4242), "[2001:db8::1]:4242"),
        (UnixName("/run/x"), "/run/x"),
        (UnixName("x", is_abstract=True), "@x"),
        (UnixName("", is_abstract=True), "@"),
    ],
)
def test_an_address_is_shown_as_programs_and_tools_do(address: EndpointAddress, text: str) -> None:
    assert str(address) == text


def test_a_path_that_looks_like_an_abstract_name_is_another() -> None:
    assert UnixName("@x") != UnixName("x", is_abstract=True)


@pytest.mark.parametrize(
    ("host", "expected"), [("0.0.0.0", True), ("10.0.0.1", False), ("127.0.0.1", False)]
)
def test_the_unspecified_address_takes_what_comes_to_any(host: str, expected: bool) -> None:
    assert SocketAddress(IPv4Address(host), 80).is_wildcard is expected
    assert SocketAddress(IPv6Address("::"), 80).is_wildcard
    assert not SocketAddress(IPv6Address("::1"), 80).is_wildcard


@pytest.mark.parametrize(
    ("name", "folder", "file"),
    [
        (UnixName("/run/x/y"), "/run/x", "y"),
        (UnixName("/y"), "/", "y"),
        (UnixName("y"), ".", "y"),
        (UnixName("/a/b", is_abstract=True), "", "/a/b"),
    ],
)
def test_a_path_has_a_folder_and_an_abstract_name_none(
    name: UnixName, folder: str, file: str
) -> None:
    assert (name.folder, name.file) == (folder, file)


def test_a_path_is_below_a_folder_and_an_abstract_name_is_not() -> None:
    assert UnixName("/run/x").is_below("/var", "/run")
    assert not UnixName("/runner/x").is_below("/run")
    assert not UnixName("/run/x", is_abstract=True).is_below("/run")
