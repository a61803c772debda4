"""Commands that make many runs of which a table is kept."""
