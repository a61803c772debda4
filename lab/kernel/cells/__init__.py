"""Programs that nobody trusts, each in namespaces, a root and limits of its own."""
