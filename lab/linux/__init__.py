"""What Linux has names for."""
