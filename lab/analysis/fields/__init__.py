"""Every field of a frame's headers, at its place among the bytes."""
