"""ladder.svg."""
