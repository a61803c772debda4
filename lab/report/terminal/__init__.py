"""The report for a terminal; the only folder that imports rich."""
