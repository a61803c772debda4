"""A sweep's summary as lines for a terminal, as CSV and as SVG."""
