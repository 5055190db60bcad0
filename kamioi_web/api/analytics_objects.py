"""The figures of Analytics, as types of the API. Amounts are cents of the one `currency`."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.api.answers import Cents, Count, Currency, Succeeded
from kamioi_web.api.dashboard_objects import AsOf, Day


class Days(TypedDict):
    """The days from `since` to `until`, both included."""

    since: Day
    until: Day


class CurrencyCount(TypedDict):
    """A currency and its transactions in all."""

    currency: Currency
    transactions: Count


class Measures(TypedDict):
    """What some transactions come to; refunds are below zero."""

    transactions: Count
    volume_cents: Cents
    round_up_cents: Cents
    fee_cents: Cents


class PeriodTotals(TypedDict):
    """What a period comes to."""

    transactions: Count
    volume_cents: Annotated[int, Field(description="Refunds taken off.", examples=[1250])]
    round_up_cents: Cents
    invested_cents: Annotated[int, Field(description="Round-ups of completed transactions.", examples=[1250])]
    fee_cents: Cents
    refunds: Count
    refund_cents: Annotated[int, Field(le=0, description="Below zero.", examples=[-500])]
    failed: Count
    failure_rate_percent: Annotated[float, Field(ge=0, le=100, examples=[0.8])]


class ComparedTotals(PeriodTotals):
    """What a period comes to, and what the one before came to."""

    before: PeriodTotals | None


class SeriesPoint(Days):
    """One step of a period."""

    transactions: Count
    volume_cents: Cents
    failed: Count


class SeriesPair(TypedDict):
    """A step of the period, and the one at the same place in the period before."""

    now: SeriesPoint | None
    before: SeriesPoint | None


class CategoryPart(Measures):
    """One category."""

    category: Annotated[str, Field(examples=["Dining"])]
    before: Measures


class AccountTypePart(Measures):
    """One account type."""

    account_type: Annotated[str, Field(examples=["family"])]
    before: Measures


class Funnel(TypedDict):
    """The purchases of a period: in all, those that reached a ticker, and those of each status."""

    purchases: Count
    reached: Count
    pending: Count
    mapped: Count
    completed: Count
    failed: Count
    rejected: Count
    needs_review: Count


class WaitingPart(TypedDict):
    """What waits in one status: ages in days."""

    transactions: Count
    oldest: Day
    oldest_transactions: Count
    oldest_days: Count
    median_days: Count


class TickerPart(Measures):
    """One ticker."""

    ticker: Annotated[str, Field(examples=["SBUX"])]
    before: Measures


class TickerParts(TypedDict):
    """The tickers with the most money, and the others together."""

    rows: list[TickerPart]
    others: Count
    rest: Measures


class MerchantBefore(TypedDict):
    """What a merchant came to before."""

    volume_cents: Cents


class MerchantPart(TypedDict):
    """One merchant."""

    merchant_id: int
    merchant: Annotated[str, Field(examples=["Starbucks"])]
    transactions: Count
    volume_cents: Cents
    before: MerchantBefore


class MerchantParts(TypedDict):
    """The merchants with the most money in whole months."""

    months: Days
    before: Days | None
    rows: list[MerchantPart]
    proven: Annotated[bool, Field(description="Whether it is certain that no other belongs here.", examples=[True])]


class Analytics(TypedDict):
    """Everything that the page shows."""

    period: Days
    before: Annotated[Days | None, Field(description="The period of the same length before it.")]
    currency: Currency
    currencies: list[CurrencyCount]
    by: Annotated[str, Field(json_schema_extra={"enum": ["day", "week", "month", "year"]})]
    totals: ComparedTotals
    series: list[SeriesPair]
    categories: list[CategoryPart]
    account_types: list[AccountTypePart]
    funnel: Funnel
    waiting: Annotated[dict[str, WaitingPart], Field(description="Of pending and of mapped transactions.")]
    tickers: Annotated[TickerParts | None, Field(description="Null under a filter, which they are not split by.")]
    merchants: Annotated[MerchantParts | None, Field(description="Null under a filter.")]


class AnalyticsAnswer(TypedDict):
    """The figures of Analytics."""

    success: Succeeded
    as_of: AsOf
    data: Analytics
