"""What the kernel lists by netlink(7), as bytes and as values."""
