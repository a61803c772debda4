"""A system call's arguments in text, as strace would show them.

Whatever the numbers and bytes are, they give some text: what has no name is shown as a number,
what could not be read as the pointer itself.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from lab.analysis.calls.address import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    address_of,
    address_text,
    family_of,
)
from lab.analysis.calls.constants import (
    DOMAINS,
    EPOLL_OPERATIONS,
    ETHERTYPES,
    FCNTL_OPERATIONS,
    IO_URING_ENTER_FLAGS,
    IO_URING_REGISTRATIONS,
    IP_PROTOCOLS,
    MESSAGE_FLAGS,
    NETLINK_PROTOCOLS,
    OPEN_FLAGS,
    POLL_EVENTS,
    RW_FLAGS,
    SHUTDOWN_WAYS,
    SOCK_TYPE_MASK,
    TYPE_FLAGS,
    TYPES,
    flag_names,
)
from lab.analysis.calls.epoll import EPOLL_DATA_AT, event_text, events_text
from lab.analysis.calls.option_text import control_text, level_text, option_text, value_text
from lab.analysis.calls.system_call import Argument
from lab.records import Memory, Syscall
from lab.syscalls.memory import descriptor_of, message_lengths, numbers_in, pointer_argument
from lab.syscalls.rings import REGISTER_FILES, REGISTERED_RING
from lab.syscalls.table import CALLS, CallShape

SHOWN_BYTES = 32
"""How many bytes of a buffer are shown, as by strace."""

_Decoder = Callable[[Syscall, int], str | None]
"""The text of a call's argument at a place; None where it is a pointer to what was not read."""

_ACCESS_MODE = 3
"""O_ACCMODE of open(2): O_RDONLY is that none of its bits is set."""

_OPERATIONS_WITHOUT_ARGUMENT = frozenset({"F_GETFD", "F_GETFL", "F_GETOWN", "F_GETPIPE_SZ"})


def decode_arguments(call: Syscall, machine: str = "") -> tuple[Argument, ...]:
    """The arguments by the names in the man page, each with its value in text.

    `machine` is what `uname -m` said where it was made, "" if unknown.
    """
    shape = CALLS.get(call.name)
    if call.ring is not None and call.ring.operation:
        return _of_operation(call, shape)
    if shape is None:
        return tuple(
            Argument(f"arg{i}", _number(call, i), number) for i, number in enumerate(call.arguments)
        )
    return _of_call(call, shape, machine)


def _of_operation(call: Syscall, shape: CallShape | None) -> tuple[Argument, ...]:
    """Those of an operation in a ring, as far as they are known."""
    assert call.ring is not None
    if shape is None or not call.ring.is_whole:
        return ()
    found = list(_of_call(call, shape, ""))
    # A recording may say of an operation what it cannot be, as a buffer of shutdown's.
    if call.ring.is_fixed and found:
        place = found[0].number
        found[0] = Argument(found[0].name, f"registered file {place}", place)
    if call.ring.place is not None:
        text = f"registered file {call.ring.place}"
        found.append(Argument("file_index", text, call.ring.place + 1))
    if call.ring.is_provided and len(found) > 1:
        found[1] = Argument(found[1].name, "a provided buffer", found[1].number, True)
    return tuple(found)


def _of_call(call: Syscall, shape: CallShape, machine: str) -> tuple[Argument, ...]:
    names = shape.arguments[: _count(call)]
    decoders = _DECODERS_OF[EPOLL_DATA_AT.get(machine)][call.name]
    return tuple(
        [
            _argument(
                name,
                decode(call, place),
                call.arguments[place],
                _read_at(call, place, _KEPT[decode]) if decode in _KEPT else None,
                _length_at(call, place, _KEPT[decode]) if decode is _message else None,
                decode is _address_in,
            )
            for place, (name, decode) in enumerate(zip(names, decoders, strict=False))
        ]
    )


@lru_cache(4096)
def _argument(
    name: str,
    text: str | None,
    number: int,
    data: bytes | None,
    length: int | None,
    is_address: bool,
) -> Argument:
    """One argument; programs say the same again and again. `data` is what it points to."""
    is_pointer = text is None
    shown = text if text is not None else hex(number) if number else "NULL"
    if data is None or not is_address:
        return Argument(name, shown, number, is_pointer, value=data, length=length)
    return Argument(name, shown, number, is_pointer, family_of(data), address_of(data), data)


def _read_at(call: Syscall, place: int, part: str) -> bytes | None:
    memory = pointer_argument(call, place, part)
    return memory.data if memory else None


def _length_at(call: Syscall, place: int, part: str) -> int | None:
    memory = pointer_argument(call, place, part)
    return memory.length if memory else None


def buffer_text(memory: Memory) -> str:
    """Bytes as a program would write them: 'Hello. ', with "..." where there are more."""
    shown = memory.data[:SHOWN_BYTES]
    more = "..." if len(shown) < max(memory.length, len(memory.data)) else ""
    return f"{repr(shown)[1:]}{more}"


def type_text(number: int) -> str:
    """A socket's type with its flags: "SOCK_STREAM|SOCK_CLOEXEC"."""
    base, flags = number & SOCK_TYPE_MASK, number & 0xFFFFFFFF & ~SOCK_TYPE_MASK
    name = TYPES.get(base, str(base))
    return f"{name}|{flag_names(TYPE_FLAGS, flags)}" if flags else name


def protocol_text(domain: int, protocol: int) -> str:
    """A protocol's name in its domain: "IPPROTO_TCP", "htons(ETH_P_ALL)"."""
    if domain in (AF_INET, AF_INET6):
        return IP_PROTOCOLS.get(protocol, str(protocol))
    if domain == AF_NETLINK:
        return NETLINK_PROTOCOLS.get(protocol, str(protocol))
    if domain == AF_PACKET and protocol:
        ethertype = int.from_bytes((protocol & 0xFFFF).to_bytes(2, "little"), "big")
        return f"htons({ETHERTYPES.get(ethertype, hex(ethertype))})"
    return str(protocol)


def _count(call: Syscall) -> int:
    """How many arguments mean something: fcntl's third one does not always."""
    if call.name == "fcntl":
        operation = FCNTL_OPERATIONS.get(_low(call, 1))
        return 2 if operation in _OPERATIONS_WITHOUT_ARGUMENT else 3
    return len(call.arguments)


def _low(call: Syscall, place: int) -> int:
    """An argument of 32 bits, without sign."""
    return call.arguments[place] & 0xFFFFFFFF


def _number(call: Syscall, place: int) -> str:
    """An int: descriptors, counts, timeouts in milliseconds."""
    return str(descriptor_of(call.arguments[place]))


def _size(call: Syscall, place: int) -> str:
    return str(call.arguments[place])


def _unsigned(call: Syscall, place: int) -> str:
    return str(_low(call, place))


def _pointer(call: Syscall, place: int) -> None:
    """A pointer, shown as an address alone."""


def _of(decode: Callable[[Memory], str]) -> _Decoder:
    """What an argument points to."""

    def text(call: Syscall, place: int) -> str | None:
        memory = pointer_argument(call, place)
        return decode(memory) if memory else None

    return text


def _one_of(names: dict[int, str]) -> _Decoder:
    return lambda call, place: names.get(_low(call, place), str(_low(call, place)))


def _flags(names: dict[int, str]) -> _Decoder:
    return lambda call, place: flag_names(names, _low(call, place))


def _type(call: Syscall, place: int) -> str:
    return type_text(call.arguments[place])


def _protocol(call: Syscall, place: int) -> str:
    return protocol_text(_low(call, 0), _low(call, place))


def _length_behind(address: int) -> _Decoder:
    """A socklen_t *: what the kernel wrote there is how long the address or value is."""

    def text(call: Syscall, place: int) -> str | None:
        memory = pointer_argument(call, address)
        return f"[{memory.length}]" if memory else None

    return text


def _level(call: Syscall, place: int) -> str:
    return level_text(_low(call, place))


def _option(call: Syscall, place: int) -> str:
    return option_text(_low(call, 1), _low(call, place))


def _value(call: Syscall, place: int) -> str | None:
    memory = pointer_argument(call, place)
    if memory is None:
        return None
    return value_text(_low(call, 1), _low(call, 2), memory.data)


def result_flags(call: Syscall) -> str:
    """The names of the flags that a call returned: fcntl(F_GETFL)'s; "" for other results."""
    if call.name != "fcntl" or FCNTL_OPERATIONS.get(_low(call, 1)) != "F_GETFL":
        return ""
    if call.result is None:
        return ""
    access = [] if call.result & _ACCESS_MODE else ["O_RDONLY"]
    others = [flag_names(OPEN_FLAGS, call.result)] if call.result else []
    return "|".join([*access, *others])


def _came(decode: Callable[[Memory], str]) -> _Decoder:
    """What came into a buffer: nothing where the call returned 0, whoever read the memory."""

    def text(call: Syscall, place: int) -> str | None:
        memory = pointer_argument(call, place)
        if memory is None and call.result == 0 and call.arguments[place]:
            memory = Memory(place, "", True, b"", 0)
        return decode(memory) if memory else None

    return text


def _received(call: Syscall, place: int) -> str | None:
    """What was received into a buffer; with MSG_TRUNC the result may be larger than the buffer."""
    memory, room = pointer_argument(call, place), call.arguments[place + 1]
    if memory is None:
        return _read(call, place)
    if memory.length > room:
        memory = replace(memory, data=memory.data[:room], length=room)
    return buffer_text(memory)


def _message(call: Syscall, place: int) -> str | None:
    """A struct msghdr: {198.51.100.2:4242, 'Hello. ', SCM_RIGHTS [5]}."""
    name, data, control = (
        pointer_argument(call, place, part) for part in ("name", "data", "control")
    )
    if data is None and call.name == "recvmsg" and call.result == 0 and call.arguments[place]:
        data = Memory(place, "data", True, b"", 0)
    if data is None and name is None and control is None:
        return None
    parts = [
        address_text(name.data) if name and name.data else "",
        buffer_text(data) if data else "",
        control_text(control.data) if control else "",
    ]
    return "{" + ", ".join(filter(None, parts)) + "}"


def _lengths(call: Syscall, place: int) -> str | None:
    """A struct mmsghdr[] by what the kernel wrote into it: [{msg_len=29}, {msg_len=45}]."""
    if pointer_argument(call, place) is None:
        return None
    lengths = message_lengths(call)
    if lengths is None:
        return "[...]"
    return f"[{', '.join(f'{{msg_len={length}}}' for length in lengths)}]"


def _polled(memory: Memory) -> str:
    """A struct pollfd[] in text, as it was when the call returned."""
    texts: list[str] = []
    for at in range(0, len(memory.data) - 7, 8):
        number, events, revents = struct.unpack_from("<iHH", memory.data, at)
        answer = f", revents={flag_names(POLL_EVENTS, revents)}" if revents else ""
        texts.append(f"{{fd={number}, events={flag_names(POLL_EVENTS, events)}{answer}}}")
    return _list(texts, memory)


def _list(texts: list[str], memory: Memory) -> str:
    if len(memory.data) < memory.length:
        texts.append("...")
    return f"[{', '.join(texts)}]"


def _fcntl_argument(call: Syscall, place: int) -> str:
    operation = FCNTL_OPERATIONS.get(_low(call, 1))
    if operation == "F_SETFD":
        return flag_names({1: "FD_CLOEXEC"}, _low(call, place))
    if operation == "F_SETFL":
        return flag_names(OPEN_FLAGS, _low(call, place))
    return _number(call, place)


def _registration(call: Syscall, place: int) -> str | None:
    return _one_of(IO_URING_REGISTRATIONS)(
        replace(call, arguments=tuple(each & ~REGISTERED_RING for each in call.arguments)), place
    )


def _registered(call: Syscall, place: int) -> str | None:
    """The descriptors that become a ring's registered files; of all else no memory is known."""
    if call.arguments[1] & ~REGISTERED_RING != REGISTER_FILES:
        return None
    memory = pointer_argument(call, place)
    return None if memory is None else _list(list(map(str, numbers_in(memory.data))), memory)


_buffer = _of(buffer_text)
_read = _came(buffer_text)
_pair = _of(lambda memory: str(list(numbers_in(memory.data))))
_buffers = _of(lambda memory: f"[{buffer_text(memory)}]")
_reads = _came(lambda memory: f"[{buffer_text(memory)}]")
_address_in = _of(lambda memory: address_text(memory.data))
_message_flags = _flags(MESSAGE_FLAGS)
_ADDRESS_OUT = (_number, _address_in, _length_behind(1))
_POLLED = (_of(_polled), _unsigned)
_POSITION = (_number, _number, _flags(RW_FLAGS))
_SELECT = (_number, *[_pointer] * 4)

_KEPT: dict[_Decoder, str] = {_address_in: "", _value: "", _message: "control"}
"""Of these arguments bytes are kept as well, as values: which part of what they point to."""

_DECODERS: dict[str, tuple[_Decoder, ...]] = {
    "socket": (_one_of(DOMAINS), _type, _protocol),
    "socketpair": (_one_of(DOMAINS), _type, _protocol, _pair),
    "bind": (_number, _address_in, _unsigned),
    "listen": (_number, _number),
    "accept": _ADDRESS_OUT,
    "accept4": (*_ADDRESS_OUT, _flags(TYPE_FLAGS)),
    "connect": (_number, _address_in, _unsigned),
    "getsockname": _ADDRESS_OUT,
    "getpeername": _ADDRESS_OUT,
    "sendto": (_number, _buffer, _size, _message_flags, _address_in, _unsigned),
    "recvfrom": (_number, _received, _size, _message_flags, _address_in, _length_behind(4)),
    "sendmsg": (_number, _message, _message_flags),
    "recvmsg": (_number, _message, _message_flags),
    "sendmmsg": (_number, _lengths, _unsigned, _message_flags),
    "recvmmsg": (_number, _lengths, _unsigned, _message_flags, _pointer),
    "setsockopt": (_number, _level, _option, _value, _unsigned),
    "getsockopt": (_number, _level, _option, _value, _length_behind(3)),
    "shutdown": (_number, _one_of(SHUTDOWN_WAYS)),
    "read": (_number, _read, _size),
    "write": (_number, _buffer, _size),
    "readv": (_number, _reads, _number),
    "writev": (_number, _buffers, _number),
    "preadv2": (_number, _reads, _number, *_POSITION),
    "pwritev2": (_number, _buffers, _number, *_POSITION),
    "sendfile": (_number, _number, _pointer, _size),
    "splice": (
        _number, _pointer, _number, _pointer, _size,
        _flags({1: "SPLICE_F_MOVE", 2: "SPLICE_F_NONBLOCK", 4: "SPLICE_F_MORE"}),
    ),
    "close": (_number,),
    "close_range": (
        _unsigned, _unsigned, _flags({2: "CLOSE_RANGE_UNSHARE", 4: "CLOSE_RANGE_CLOEXEC"}),
    ),
    "dup": (_number,),
    "dup2": (_number, _number),
    "dup3": (_number, _number, _flags(OPEN_FLAGS)),
    "fcntl": (_number, _one_of(FCNTL_OPERATIONS), _fcntl_argument),
    "pipe": (_pair,),
    "pipe2": (_pair, _flags(OPEN_FLAGS)),
    "poll": (*_POLLED, _number),
    "ppoll": (*_POLLED, _pointer, _pointer, _size),
    "select": _SELECT,
    "pselect6": (*_SELECT, _pointer),
    "epoll_create": (_number,),
    "epoll_create1": (_flags({0o2000000: "EPOLL_CLOEXEC"}),),
    "io_uring_setup": (_unsigned, _pointer),
    "io_uring_enter": (
        _number, _unsigned, _unsigned,
        _flags(IO_URING_ENTER_FLAGS),
        _pointer, _size,
    ),
    "io_uring_register": (
        _number, _registration, _registered, _unsigned,
    ),
    "io_submit": (_pointer, _size, _pointer),
    "pidfd_getfd": (_number, _number, _unsigned),
}  # fmt: skip


def _epoll_decoders(data_at: int | None) -> dict[str, tuple[_Decoder, ...]]:
    """Those whose structs are not the same on all machines."""
    event = _of(lambda memory: event_text(memory.data, data_at))
    wait = (_number, _came(lambda memory: events_text(memory, data_at)), _number)
    return {
        "epoll_ctl": (_number, _one_of(EPOLL_OPERATIONS), _number, event),
        "epoll_wait": (*wait, _number),
        "epoll_pwait": (*wait, _number, _pointer, _size),
        "epoll_pwait2": (*wait, _pointer, _pointer, _size),
    }


_DECODERS_OF = {at: _DECODERS | _epoll_decoders(at) for at in (None, *EPOLL_DATA_AT.values())}
"""By where a struct epoll_event has its data."""
