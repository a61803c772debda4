"""Namespaces of their own that the kernel reclaims, whatever happens."""
