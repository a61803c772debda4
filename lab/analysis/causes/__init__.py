"""What happened, and why: the causes of what surprises, each with its evidence and source."""
