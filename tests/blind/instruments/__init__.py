"""What can befall each instrument, a file each."""

from __future__ import annotations

from tests.blind.disturbance import Disturb, Name
from tests.blind.instruments import canaries, capture

DISTURBERS: dict[Name, Disturb] = {
    Name.CAPTURE: capture.disturbed,
    Name.CANARY: canaries.disturbed,
}
