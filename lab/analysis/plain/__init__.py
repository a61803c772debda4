"""Plain frames understood from their bytes alone, without scapy."""
