"""Checks of unix sockets."""
