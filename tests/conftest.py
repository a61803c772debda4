from hypothesis import settings

# No database of examples: a test run leaves nothing behind, and under sudo nothing of root's.
# No deadline for an example: how long one takes is the machine's affair.
settings.register_profile("wirelab", database=None, deadline=None)
settings.load_profile("wirelab")
