"""The privileged edge: the only code that needs capabilities."""
