"""BPF programs that see what programs do by the rings of io_uring(7), and what follows of it."""
