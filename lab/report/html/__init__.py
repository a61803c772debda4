"""report.html: one file that a browser opens from disk."""
