"""BPF expressions, compiled and run by libpcap. Source: pcap-filter(7), pcap_offline_filter(3)."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from lab.errors import MachineError, UsageError

_NAMES = ("libpcap.so.1", "libpcap.so.0.8", "libpcap.so")
_DLT_EN10MB = 1
_SNAP_BYTES = 262_144
_NO_NETMASK = 0xFFFFFFFF


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.c_void_p))


class _Header(ctypes.Structure):
    _fields_ = (
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("captured", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
    )


def compiled(expression: str) -> Callable[[bytes], bool]:
    """A function that tells whether a frame is one that the expression describes.

    Raises MachineError where there is no libpcap, UsageError for a wrong expression.
    """
    pcap = _library()
    handle = pcap.pcap_open_dead(_DLT_EN10MB, _SNAP_BYTES)
    program = _Program()
    try:
        wrong = pcap.pcap_compile(
            handle, ctypes.byref(program), expression.encode("utf-8"), 1, _NO_NETMASK
        )
        if wrong:
            said = pcap.pcap_geterr(handle).decode("utf-8", "replace")
            raise UsageError(f"wire rule: bpf {expression!r}: {said}")
    finally:
        pcap.pcap_close(handle)
    run, header = pcap.pcap_offline_filter, _Header()

    def describes(frame: bytes) -> bool:
        header.captured = header.length = len(frame)
        return bool(run(ctypes.byref(program), ctypes.byref(header), frame))

    return describes


def _library() -> ctypes.CDLL:
    for name in _NAMES:
        try:
            pcap = ctypes.CDLL(name)
        except OSError:
            continue
        pcap.pcap_open_dead.restype = ctypes.c_void_p
        pcap.pcap_compile.argtypes = (
            ctypes.c_void_p,
            ctypes.POINTER(_Program),
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_uint32,
        )
        pcap.pcap_geterr.argtypes = pcap.pcap_close.argtypes = (ctypes.c_void_p,)
        pcap.pcap_geterr.restype = ctypes.c_char_p
        pcap.pcap_close.restype = None
        pcap.pcap_offline_filter.argtypes = (
            ctypes.POINTER(_Program),
            ctypes.POINTER(_Header),
            ctypes.c_char_p,
        )
        return pcap
    raise MachineError(
        "a wire rule with bpf needs libpcap, which is not on this machine; to mend: "
        "sudo apt-get install libpcap0.8"
    )
