"""What happens in the run's network namespaces, as BPF programs see it."""
