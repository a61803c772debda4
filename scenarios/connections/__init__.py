"""Scenarios of TCP connections: how they open, wait, time out, crowd and end."""
