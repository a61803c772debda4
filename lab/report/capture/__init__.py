"""What the capture files say to their readers in Wireshark."""
