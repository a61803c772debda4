"""Frames of plain TCP and UDP understood from their bytes alone, without scapy."""
