"""The prompt of `wirelab shell`."""
