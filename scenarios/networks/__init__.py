"""Scenarios of networks: switches, routers, NATs, and what hosts do across them."""
