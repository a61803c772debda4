"""Claims of how TCP connections open, wait, time out, crowd and end."""
