"""The lines of Python programs that make calls, as the programs' own interpreters note them."""
