"""The instruments that trace programs, a folder each."""
