"""What the RFCs fix for everybody who has to do with packets, as arithmetic."""
