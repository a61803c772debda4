"""Two BPF programs that copy what pointer arguments point to."""
