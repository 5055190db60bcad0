"""Round-ups: what a purchase is rounded up by, and how that is shared among tickers. Whole cents, sums exact."""

from collections.abc import Sequence


def round_up(amount_cents: int, fixed_cents: int) -> int:
    """The fixed amount of the user for a purchase, nothing for a refund."""
    return fixed_cents if amount_cents > 0 else 0


def split(cents: int, tickers: Sequence[str]) -> list[tuple[str, int]]:
    """Equal shares of a round-up, the cents that are left over to the first ones; a ticker without a share has none.

    This is the method of the largest remainder: with equal weights all remainders are the same, so the order decides.
    """
    if cents <= 0 or not tickers:
        return []
    each, left = divmod(cents, len(tickers))
    shares = [(ticker, each + (at < left)) for at, ticker in enumerate(tickers)]
    return [(ticker, share) for ticker, share in shares if share]
