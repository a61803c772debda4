"""What the capture file says to its readers in Wireshark."""
