"""A ladder at its places: lanes, brackets, arrows and ribbons, as plain values."""
