"""Values of socket options and control messages, in text."""

from __future__ import annotations

import struct
from collections.abc import Callable

from lab.analysis.calls.constants import (
    DOMAINS,
    IP_PROTOCOLS,
    LEVELS,
    OPTIONS,
    PATH_MTU_DISCOVERY,
    TCP_STATES,
    TYPES,
    error_name,
)
from lab.syscalls.memory import (
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SOL_SOCKET,
    control_messages,
    numbers_in,
)

_SHOWN_HEX_BYTES = 16


def level_text(level: int) -> str:
    """A level's name: "SOL_SOCKET"."""
    return LEVELS.get(level, str(level))


def option_text(level: int, option: int) -> str:
    """An option's name: "SO_REUSEADDR"."""
    return OPTIONS.get(level, {}).get(option, str(option))


def value_text(level: int, option: int, data: bytes) -> str:
    """An option's value: "[1]", "{onoff=1, linger=5}", "'cubic'"; other bytes in hex."""
    known = _VALUES.get(option_text(level, option))
    text = known(data) if known else None
    return text or _plain(data)


def control_text(control: bytes) -> str:
    """Control messages: "SCM_RIGHTS [5]"; "" for none. Source: cmsg(3), unix(7)."""
    return ", ".join(_message_text(*message) for message in control_messages(control))


def _message_text(level: int, kind: int, data: bytes) -> str:
    if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
        return f"SCM_RIGHTS {list(numbers_in(data))}"
    if (level, kind) == (SOL_SOCKET, SCM_CREDENTIALS):
        return f"SCM_CREDENTIALS {_credentials(data) or _plain(data)}"
    return f"{level_text(level)} {option_text(level, kind)} {_plain(data)}"


def _plain(data: bytes) -> str:
    if len(data) in (1, 4):
        return f"[{int.from_bytes(data, 'little', signed=True)}]"
    cut = "..." if len(data) > _SHOWN_HEX_BYTES else ""
    return f"0x{data[:_SHOWN_HEX_BYTES].hex()}{cut}" if data else "''"


def _fields(layout: str, *names: str) -> Callable[[bytes], str | None]:
    """A struct's fields by name; None where the bytes are fewer."""
    shape = struct.Struct(layout)

    def text(data: bytes) -> str | None:
        if len(data) < shape.size:
            return None
        values = zip(names, shape.unpack_from(data), strict=True)
        return "{" + ", ".join(f"{name}={value}" for name, value in values) + "}"

    return text


def _named(names: dict[int, str]) -> Callable[[bytes], str | None]:
    """An int that has a name."""

    def text(data: bytes) -> str | None:
        number = int.from_bytes(data, "little")
        return f"[{names[number]}]" if len(data) == 4 and number in names else None

    return text


def _string(data: bytes) -> str:
    return repr(data.split(b"\0", 1)[0])[1:]


def _error(data: bytes) -> str | None:
    number = int.from_bytes(data, "little")
    return f"[{error_name(number)}]" if len(data) == 4 and number else None


def _ip_address(data: bytes) -> str | None:
    return "[" + ".".join(map(str, data)) + "]" if len(data) == 4 else None


def _memberships(data: bytes) -> str | None:
    """A struct ip_mreq or ip_mreqn in text, ip(7)."""
    if len(data) < 8:
        return None
    group, local = (".".join(map(str, data[at : at + 4])) for at in (0, 4))
    return f"{{multiaddr={group}, interface={local}}}"


def _tcp_info(data: bytes) -> str | None:
    """Its first byte, tcpi_state, says most."""
    return f"{{state={TCP_STATES.get(data[0], data[0])}, ...}}" if data else None


_timeval = _fields("<qq", "sec", "usec")
_credentials = _fields("<iII", "pid", "uid", "gid")

_VALUES: dict[str, Callable[[bytes], str | None]] = {
    "SO_LINGER": _fields("<ii", "onoff", "linger"),
    "SO_RCVTIMEO": _timeval,
    "SO_SNDTIMEO": _timeval,
    "SO_RCVTIMEO_NEW": _timeval,
    "SO_SNDTIMEO_NEW": _timeval,
    "SO_PEERCRED": _credentials,
    "SO_TYPE": _named(TYPES),
    "SO_DOMAIN": _named(DOMAINS),
    "SO_PROTOCOL": _named(IP_PROTOCOLS),
    "SO_ERROR": _error,
    "SO_BINDTODEVICE": _string,
    "TCP_CONGESTION": _string,
    "TCP_ULP": _string,
    "TCP_INFO": _tcp_info,
    "IP_MTU_DISCOVER": _named({n: f"IP_{name}" for n, name in PATH_MTU_DISCOVERY.items()}),
    "IPV6_MTU_DISCOVER": _named({n: f"IPV6_{name}" for n, name in PATH_MTU_DISCOVERY.items()}),
    "IP_MULTICAST_IF": _ip_address,
    "IP_ADD_MEMBERSHIP": _memberships,
    "IP_DROP_MEMBERSHIP": _memberships,
}
