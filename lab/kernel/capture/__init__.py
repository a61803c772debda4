"""Frames captured from an interface."""
