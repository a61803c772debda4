"""Namespaces, links and addresses, and how to read their state."""
