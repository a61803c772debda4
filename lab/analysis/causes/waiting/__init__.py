"""Why nothing comes, or late: of TCP connections, one file a family."""
