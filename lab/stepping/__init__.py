"""PURE: a wire that is stepped by hand: what is shown, which key does what, what is predicted."""
