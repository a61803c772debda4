"""A run whose frames wait for somebody's decisions, and what is told of it meanwhile."""
