"""Claims and their checks: pure functions from timelines to verdicts."""
