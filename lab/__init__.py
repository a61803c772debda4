"""wirelab: see what a socket puts on the wire, and what it does not."""

__version__ = "0.1.0"
