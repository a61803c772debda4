"""What is said of one event: its causes, where to read about it, how to find it again."""
