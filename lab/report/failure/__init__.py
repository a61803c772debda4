"""A failed expectation as text."""
