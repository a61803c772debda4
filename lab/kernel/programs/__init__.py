"""Programs that run in namespaces."""
