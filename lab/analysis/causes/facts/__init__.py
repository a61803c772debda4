"""What a cause is, and what the families of causes ask of a step."""
