"""A step as a ladder: plain values that any renderer can draw."""
