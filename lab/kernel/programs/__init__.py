"""Programs at work in namespaces."""
