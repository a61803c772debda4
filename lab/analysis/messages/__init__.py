"""What packets say that is neither addressing nor transport: DNS, DHCP, membership of groups."""
