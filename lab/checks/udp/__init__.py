"""Checks of UDP: datagrams that arrive, that are cut, and that nobody reads."""
