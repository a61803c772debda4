"""PURE: a session's lines as commands, and what completes them."""
