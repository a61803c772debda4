"""Why a connection does not come about, or late, one file a family."""
