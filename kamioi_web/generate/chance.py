"""Where all chance comes from."""

from random import Random


def chance(purpose: str, seed: int = 0) -> Random:
    """A source of numbers of its own for each purpose: the same purpose and seed give the same numbers everywhere."""
    return Random(f"{purpose} {seed}")  # noqa: S311 - sample data, no secrets
