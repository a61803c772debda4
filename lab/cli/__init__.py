"""The command line: words in, a call to the composer, lines and an exit status out."""
