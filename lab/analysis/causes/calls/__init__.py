"""Why calls failed: a family for each kind of call."""
