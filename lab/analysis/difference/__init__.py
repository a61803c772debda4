"""Two runs of one scenario against each other."""
