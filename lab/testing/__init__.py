"""What the pytest plugin gives to tests (docs/pytest.md)."""
