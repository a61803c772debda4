"""How lines, arrows and ladders are drawn with characters."""
