"""The terminal debugger of the wire: what `wirelab step` and `wirelab play` show, in Textual."""
