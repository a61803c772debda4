"""scapy's header classes, imported by whichever thread needs them first.

Several runs are analysed at once. A module is loaded by one thread, and the others wait for it; two
that called import_scapy_layers() themselves would each take away what the other has put in place.
"""

from __future__ import annotations

from lab.analysis.packets.scapy_import import import_scapy_layers

LAYERS = import_scapy_layers()
"""scapy.layers.l2, .inet and .inet6."""
