"""Tracing by the kernel's tracepoints, for root."""
