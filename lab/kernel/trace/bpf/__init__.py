"""Two BPF programs that copy the memory behind pointer arguments."""
