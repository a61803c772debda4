"""A UDP client that asks at one address after the other, from where the kernel or it itself says.

By hand:    python3 two_homed_client.py 4242 127.0.0.1
with two_homed_server.py running there. Before the addresses may stand `from=` and an address of its
own, which the socket then has.
"""

import socket
import sys

READ_SIZE = 4096
PATIENCE_S = 5
FROM = "from="


def show(call, result):
    """Print a call and what it returned, as strace would."""
    print(f"{call} = {result}", flush=True)


def main(port, own, addresses):
    domain = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
    for place, address in enumerate(addresses, start=1):
        client = socket.socket(domain, socket.SOCK_DGRAM)
        number = client.fileno()
        show(f"socket({domain.name}, SOCK_DGRAM)", number)
        if own:
            client.bind((own, 0))
            show(f"bind({number}, {(own, 0)})", 0)
        message = f"Is this you? ({place})".encode()
        sent = client.sendto(message, (address, port))
        show(f"sendto({number}, {message!r}, {(address, port)})", sent)
        # Not connected: an answer from another address than was asked would not be let in.
        client.settimeout(PATIENCE_S)
        data, peer = client.recvfrom(READ_SIZE)
        show(f"recvfrom({number}, {data!r}, {READ_SIZE}, {peer[:2]})", len(data))
        client.close()
        show(f"close({number})", 0)


if __name__ == "__main__":
    words = sys.argv[2:]
    own_address = words.pop(0)[len(FROM) :] if words and words[0].startswith(FROM) else ""
    if not words:
        sys.exit(f"usage: {sys.argv[0]} PORT [from=OWN_ADDRESS] ADDRESS...")
    main(int(sys.argv[1]), own_address, words)
