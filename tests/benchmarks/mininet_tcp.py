"""Run by Debian's python3 with Mininet: the `tcp` scenario's exchange, without any capture.

Arguments: interpreter, the demos' folder, port.
"""

import subprocess
import sys

from mininet.net import Mininet


def main(python: str, demos: str, port: str) -> None:
    net = Mininet(controller=None)
    client, server = net.addHost("client"), net.addHost("server")
    net.addLink(client, server)
    net.start()
    address = server.IP()
    serving = server.popen(
        [python, "-IS", f"{demos}/inet_stream_server.py", address, port], stdout=subprocess.PIPE
    )
    for line in serving.stdout:
        if line.startswith(b"listen("):
            break
    asking = client.popen(
        [python, "-IS", f"{demos}/inet_stream_client.py", address, port], stdout=subprocess.PIPE
    )
    failed = [p.args for p in (asking, serving) if p.communicate() and p.returncode]
    net.stop()
    sys.exit(f"failed: {failed}" if failed else 0)


main(*sys.argv[1:])
