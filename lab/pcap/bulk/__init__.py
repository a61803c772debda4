"""Large capture files, read in batches of frames."""
