"""Round-ups are shared to the cent: nothing lost, nothing made up, nothing negative, nothing for a refund."""

from hypothesis import given
from hypothesis import strategies as st

from kamioi_web.allocation import round_up, split

CENTS = st.integers(-(2**62), 2**62)
TICKERS = st.lists(st.text("ABCDEF", min_size=1, max_size=4), max_size=9, unique=True)


@given(CENTS, TICKERS)
def test_shares_add_up_and_none_is_negative(cents: int, tickers: list[str]) -> None:
    shares = split(cents, tickers)
    assert sum(share for _, share in shares) == (max(cents, 0) if tickers else 0)
    assert all(share > 0 for _, share in shares)
    assert [ticker for ticker, _ in shares] == tickers[: len(shares)]


@given(st.integers(1, 2**62), TICKERS.filter(bool))
def test_no_ticker_gets_a_cent_more_than_another_but_for_the_order(cents: int, tickers: list[str]) -> None:
    shares = dict(split(cents, tickers))
    whole = [shares.get(ticker, 0) for ticker in tickers]
    assert max(whole) - min(whole) <= 1 and whole == sorted(whole, reverse=True)


@given(CENTS, st.integers(0, 10_000))
def test_a_purchase_is_rounded_up_by_the_fixed_amount_and_a_refund_by_nothing(amount: int, fixed: int) -> None:
    assert round_up(amount, fixed) == (fixed if amount > 0 else 0)


def test_three_cents_among_five() -> None:
    assert split(3, ["A", "B", "C", "D", "E"]) == [("A", 1), ("B", 1), ("C", 1)]
