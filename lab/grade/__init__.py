"""Lab sheets, and what becomes of what is handed in for them."""
