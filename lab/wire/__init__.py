"""What a link's wire does to frames: rules in words, as values, and at work. Opens nothing."""
