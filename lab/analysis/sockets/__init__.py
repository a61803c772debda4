"""Which sockets and pipes a step had, and what each of them is to the others."""
