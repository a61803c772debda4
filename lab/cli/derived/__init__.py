"""Commands that write what is derived from runs on disk."""
