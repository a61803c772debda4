"""Commands about what can be expected of runs and capture files."""
