"""Datagrams."""

from lab.api import Program, Scenario, Step, two_hosts

def demo(name, host, file, *arguments, ready=False):
    return Program(name, host, ("{python}", "-IS", "{demos}/"+file, *arguments), ready)

SCENARIO = Scenario(
    name="udp",
    summary="datagrams",
    topology=two_hosts(),
    steps=(
        Step("conversation", (demo("server","server","inet_dgram_server.py","{server}","4242",ready=True),demo("client","client","inet_dgram_client.py","{server}","4242"))),
        Step("truncation", (demo("short-reader","server","inet_dgram_reader.py","{server}","4242","16",ready=True),demo("sender","client","inet_dgram_sender.py","{server}","4242","40","7"))),
        Step("fragments", (demo("whole-reader","server","inet_dgram_reader.py","{server}","4242","65535",ready=True),demo("big-sender","client","inet_dgram_sender.py","{server}","4242","4000","7"))),
        Step("nobody", (demo("asker","client","inet_dgram_nobody.py","{server}","4343"),)),
    ),
    claims=(),
)
