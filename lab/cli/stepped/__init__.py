"""Commands that show a run in the terminal debugger of the wire."""
