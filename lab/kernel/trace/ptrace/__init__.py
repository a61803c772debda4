"""Tracing by ptrace(2), which needs no privileges."""
