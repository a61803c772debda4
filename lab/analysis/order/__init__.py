"""The events of a step, causes before effects."""
