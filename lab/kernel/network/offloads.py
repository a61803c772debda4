"""Turns off segmentation and checksum offloads, so that frames are as on a real wire.

Source: ethtool's ioctl interface, include/uapi/linux/ethtool.h.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import struct

from lab.errors import KernelRefused
from lab.frozen import frozen

SIOCETHTOOL = 0x8946
ETHTOOL_GSTRINGS = 0x1B
ETHTOOL_GSSET_INFO = 0x37
ETHTOOL_GFEATURES = 0x3A
ETHTOOL_SFEATURES = 0x3B
ETH_SS_FEATURES = 4
ETH_GSTRING_LEN = 32

# Feature names as `ethtool -k` lists them in netdev_features_strings.
UNWANTED_PREFIXES = ("tx-checksum-", "tx-scatter-gather", "tx-udp-segmentation", "rx-udp-gro")
UNWANTED_SUFFIXES = ("-segmentation",)
UNWANTED_NAMES = ("rx-checksum", "rx-gro", "rx-gro-list", "rx-gro-hw", "rx-lro")


@frozen
class Offloads:
    """This kernel's features, and which of them the lab turns off; the same for every interface."""

    names: tuple[str, ...]
    """Every feature's name, by its bit."""
    masks: tuple[int, ...]
    """The bits of the features to turn off, in words of 32."""


def read_offloads(descriptor: int, interface: str) -> Offloads:
    """This kernel's offloads, read for any interface of the socket's namespace.

    Raises KernelRefused.
    """
    names = _read_feature_names(descriptor, interface)
    masks = [0] * ((len(names) + 31) // 32)
    for index, name in enumerate(names):
        if _is_unwanted(name):
            masks[index // 32] |= 1 << index % 32
    return Offloads(names, tuple(masks))


def turn_off_offloads(descriptor: int, interface: str, offloads: Offloads) -> None:
    """Turn off every segmentation, receive-merging and checksum offload of an interface.

    `descriptor` is any socket of the interface's namespace. Raises KernelRefused, also if one
    stays on.
    """
    words = len(offloads.masks)
    changes = b"".join(struct.pack("=II", mask, 0) for mask in offloads.masks)
    request = struct.pack("=II", ETHTOOL_SFEATURES, words) + changes
    _ethtool(descriptor, interface, bytearray(request))
    answer = bytearray(struct.pack("=II", ETHTOOL_GFEATURES, words) + bytes(16 * words))
    _ethtool(descriptor, interface, answer)
    for word, mask in enumerate(offloads.masks):
        left = struct.unpack_from("=4I", answer, 8 + 16 * word)[2] & mask
        if left:
            names = [offloads.names[32 * word + bit] for bit in range(32) if left >> bit & 1]
            raise KernelRefused(f"cannot turn off {', '.join(names)} on {interface}")


def _is_unwanted(name: str) -> bool:
    return (
        name.startswith(UNWANTED_PREFIXES)
        or name.endswith(UNWANTED_SUFFIXES)
        or name in UNWANTED_NAMES
    )


def _read_feature_names(descriptor: int, interface: str) -> tuple[str, ...]:
    """The kernel's feature names by bit number: the same table for every interface."""
    request = bytearray(struct.pack("=IIQI", ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_FEATURES, 0))
    _ethtool(descriptor, interface, request)
    (count,) = struct.unpack_from("=I", request, 16)
    request = bytearray(
        struct.pack("=III", ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count)
        + bytes(ETH_GSTRING_LEN * count)
    )
    _ethtool(descriptor, interface, request)
    table = bytes(request[12:])
    return tuple(
        table[start : start + ETH_GSTRING_LEN].split(b"\0", 1)[0].decode("ascii")
        for start in range(0, len(table), ETH_GSTRING_LEN)
    )


def _ethtool(descriptor: int, interface: str, request: bytearray) -> None:
    """Make one SIOCETHTOOL ioctl; the kernel's answer replaces the bytes of `request`."""
    block = array.array("B", request)
    address, _ = block.buffer_info()
    ifreq = struct.pack("=16sQ16x", interface.encode("ascii"), address)
    try:
        fcntl.ioctl(descriptor, SIOCETHTOOL, ifreq)
    except OSError as error:
        number = error.errno or 0
        raise KernelRefused(
            f"cannot ask ethtool about {interface}: "
            f"{errno.errorcode.get(number, number)} ({os.strerror(number)})"
        ) from error
    request[:] = block.tobytes()
