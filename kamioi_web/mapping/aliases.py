"""The names that companies trade under, as a card statement has them once it is cleaned."""

from functools import cache
from typing import NamedTuple

from kamioi_web import catalogue

BRAND, WHOLE, START, AGENT, TITLE = "brand", "whole", "start", "agent", "title"


class Alias(NamedTuple):
    """A name and whose it is; a ticker of None says: nobody that is listed in the US.

    `kind` is brand (accepted wherever its words stand), whole (only as the whole name), start (only at its start),
    agent (takes payments for others: never the answer) or title (a listed company's own name, only as the whole).
    """

    alias: str
    ticker: str | None
    company: str | None
    kind: str
    confidence: float = 0.0  # of titles; the others have it by kind


@cache
def built_in() -> tuple[Alias, ...]:
    """The aliases of the project's own catalogue."""
    return tuple(Alias(one.alias, one.ticker, one.company or None, one.kind) for one in catalogue.aliases())


@cache
def known() -> frozenset[str]:
    """The built-in aliases as text alone."""
    return frozenset(alias.alias for alias in built_in())


@cache
def known_words() -> frozenset[str]:
    """Every word of the built-in aliases."""
    return frozenset(word for alias in known() for word in alias.split())
