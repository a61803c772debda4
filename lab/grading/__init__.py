"""What students hand in, read, judged by a sheet, and reported on."""
