"""A sandbox: namespaces of its own that the kernel reclaims, whatever happens."""
