"""x."""


def plan(demo):
    """x."""
