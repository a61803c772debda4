"""One file for each scenario; each reads top to bottom: topology, programs, claims."""
