"""A TCP flow understood: RFC 9293 as a table, segments, and the bytes they carry."""
