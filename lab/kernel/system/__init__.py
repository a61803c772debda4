"""System calls, capabilities, messages between processes, and the poll loop."""
