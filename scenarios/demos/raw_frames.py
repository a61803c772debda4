"""A packet socket that receives what an interface receives, under the IP layer.

By hand:    sudo python3 raw_frames.py lo SOCK_RAW 4
and then:   sudo python3 raw_sender.py 127.0.0.1 127.0.0.1     (with raw_receiver.py running)

SOCK_RAW gives whole frames, SOCK_DGRAM leaves out the link-layer header, whose fields are in the
address alone (packet(7)). The last argument is the IP version. It needs the capability
CAP_NET_RAW. Where the environment has READY_FD, a line is written to that descriptor once
frames are received.
"""

import os
import socket
import sys

ETHERNET_HEADER = 14
EXPERIMENT = 253  # RFC 3692: a protocol number for experiments
# The EtherType, and where the IP header has the number of the protocol above it.
VERSIONS = {"4": (0x0800, 9), "6": (0x86DD, 6)}
PACKETS = 2
READ_SIZE = 65535


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(interface, kind, version):
    ether_type, protocol_at = VERSIONS[version]
    if kind == "SOCK_RAW":
        protocol_at += ETHERNET_HEADER
    # Protocol 0 receives nothing yet: bind() names the protocol with the interface.
    with socket.socket(socket.AF_PACKET, getattr(socket, kind), 0) as packets:
        number = packets.fileno()
        show(f"socket(AF_PACKET, {kind}, 0)", number)
        packets.bind((interface, ether_type))
        show(f"bind({number}, {(interface, ether_type)})", 0)
        if "READY_FD" in os.environ:
            os.write(int(os.environ["READY_FD"]), b"receiving\n")
        left = PACKETS
        while left:
            data, where = packets.recvfrom(READ_SIZE)
            if data[protocol_at] == EXPERIMENT:  # else it is somebody else's
                show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {where})", len(data))
                left -= 1
    show(f"close({number})", 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} INTERFACE SOCK_RAW|SOCK_DGRAM 4|6")
    main(*sys.argv[1:])
