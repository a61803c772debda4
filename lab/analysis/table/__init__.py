"""A large capture's packets in columns, and its flows."""
