"""A run whose frames wait for somebody's decisions, and what is reported of it meanwhile."""
