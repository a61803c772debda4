"""trace.json, for Perfetto's viewer."""
