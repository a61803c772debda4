"""Small programs that go wrong, each of which shows a cause that a report can name."""
