"""Where sockets are: an IP address and a port, or a unix socket's name."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from lab.frozen import frozen


@frozen
class SocketAddress:
    """An IP address and a port (RFC 9293 calls it a socket, ip(7) a socket address)."""

    address: IPv4Address | IPv6Address
    port: int

    def __hash__(self) -> int:
        # An address's own hash is that of its number in hexadecimal, as text.
        return hash((int(self.address), self.port))

    @property
    def is_wildcard(self) -> bool:
        """Whether a socket bound so takes what comes to any of its host's addresses."""
        return self.address.is_unspecified

    def __str__(self) -> str:
        """As reports show it: "198.51.100.1:40858", "[2001:db8::1]:4242"."""
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"


@frozen
class UnixName:
    """The name a unix socket is bound to. Source: unix(7), "Address format"."""

    name: str
    """A path, or a name in the abstract namespace; what is not printable is escaped."""
    is_abstract: bool = False

    @property
    def folder(self) -> str:
        """The path's folder, "." of one without; of an abstract name ""."""
        if self.is_abstract:
            return ""
        head, slash, _ = self.name.rpartition("/")
        return head or slash or "."

    @property
    def file(self) -> str:
        """The path's last part; of an abstract name all of it."""
        return self.name if self.is_abstract else self.name.rpartition("/")[2]

    def is_below(self, *folders: str) -> bool:
        """Whether it is a path in or beneath one of these folders."""
        return not self.is_abstract and self.name.startswith(tuple(f"{f}/" for f in folders))

    def __str__(self) -> str:
        """As reports show it: a path, "@" and an abstract name."""
        return f"@{self.name}" if self.is_abstract else self.name


EndpointAddress = SocketAddress | UnixName
