"""Pure: bytes in, values out. No sockets, files or clocks."""
