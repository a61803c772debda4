"""A switch between three hosts: what it floods, what it has learned, what it changes (nothing)."""

from lab.api import Lesson, Scenario, Step, demo, laid_out
from lab.checks.link import finds_the_neighbour_first, has_right_checksums
from lab.checks.networks.forwarding import floods_broadcasts_alone, forwards_frames_as_they_are

PORT = 4242

SCENARIO = Scenario(
    name="switch",
    summary="three hosts at a switch: a broadcast floods, what follows does not",
    topology=laid_out(
        [("client", "switch1"), ("server", "switch1"), ("other", "switch1")],
        switches=("switch1",),
    ),
    steps=(
        Step(
            "conversation",
            (
                demo("inet_dgram_server", on="server", args=["{server}", PORT], ready=True),
                demo("inet_dgram_client", on="client", args=["{server}", PORT]),
            ),
        ),
    ),
    claims=(
        finds_the_neighbour_first,
        floods_broadcasts_alone,
        forwards_frames_as_they_are,
        has_right_checksums,
    ),
    lesson=Lesson(
        question="Which of two hosts' frames does a third at their switch see?",
        predict="how many frames reach `other`; what the switch changes of a frame",
        look="the links on which f1 goes on, and those of the datagrams behind it",
        answer=(
            "The question for a hardware address alone: it is a broadcast, and from it the switch "
            "learns where its sender is. Frames to one host leave by one port, unchanged."
        ),
        claims=(floods_broadcasts_alone, forwards_frames_as_they_are),
    ),
)
