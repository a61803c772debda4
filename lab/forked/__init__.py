"""Things done each in a process of its own, forked from a server that has imported much."""
