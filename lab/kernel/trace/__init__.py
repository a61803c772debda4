"""What traces the programs of a run: one folder for each instrument."""
