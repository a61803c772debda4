"""Checks of networks: what switches, routers and NATs do, and what hosts do across them."""
