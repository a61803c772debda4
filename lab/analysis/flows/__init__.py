"""Frames at both ends of a link made one crossing, and crossings made flows."""
