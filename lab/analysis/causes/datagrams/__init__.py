"""Why datagrams came to nobody, or not whole."""
