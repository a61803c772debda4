"""Capture files: any pcap or pcapng read, pcapng written."""
