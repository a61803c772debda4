"""Namespaces, links and addresses, and what can be asked about them."""
