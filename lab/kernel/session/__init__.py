"""A run whose programs are started while it lasts, as somebody asks for them."""
