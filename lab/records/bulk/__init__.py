"""Many frames at once, as arrays."""
