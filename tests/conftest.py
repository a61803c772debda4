from hypothesis import settings

# No database of examples: a test run leaves nothing behind, and under sudo nothing of root's.
settings.register_profile("wirelab", database=None)
settings.load_profile("wirelab")
