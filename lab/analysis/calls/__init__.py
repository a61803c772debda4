"""System calls decoded into words, and what programs printed of their own calls."""
