"""Tracing by ptrace(2), for everybody."""
