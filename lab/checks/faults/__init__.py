"""Claims of what becomes of a conversation whose frames a wire strikes."""
