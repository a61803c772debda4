"""Links that pass through the lab: a process carries their frames, as a wire's rules say."""
