"""Which frames of a capture file are shown: filters, numbers, flows."""
