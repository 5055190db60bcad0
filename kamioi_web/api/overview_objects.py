"""The overview, as types of the API. Amounts in cents are of the currency that stands beside them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.api.answers import Cents, Count, Currency, Identified, Moment, Money, Succeeded, word
from kamioi_web.api.dashboard_objects import AsOf, Day
from kamioi_web.schema import STATUSES


class PlatformStats(TypedDict):
    """Everything there is, in the currency of most transactions."""

    totalTransactions: Annotated[int, Field(ge=0, description="Of all currencies.", examples=[3])]
    currency: Currency
    totalRevenue: Annotated[Money, Field(description="Fees.")]
    totalRoundUps: Money
    portfolioValue: Annotated[Money, Field(description="Round-ups of completed transactions.")]


class Growth(TypedDict):
    """A month and the users who joined in it."""

    name: Annotated[str, Field(examples=["Mar 2024"])]
    value: Count


class Activity(Identified):
    """One of the newest transactions, in a line."""

    type: Annotated[str, Field(json_schema_extra={"enum": ["transaction"]})]
    description: Annotated[str, Field(examples=["Starbucks $12.50, completed"])]
    timestamp: Moment


class Recent(Identified):
    """A transaction in short."""

    date: Moment
    merchant: Annotated[str | None, Field(examples=["Starbucks"])]
    amount: Money
    amount_cents: Cents
    currency: Currency
    status: Annotated[str, word(STATUSES)]


class ImportRun(TypedDict):
    """One import and what it has done so far."""

    kind: Annotated[str, Field(examples=["transactions"])]
    file_name: Annotated[str, Field(examples=["statement.csv"])]
    done: bool
    added: Count
    known: Annotated[int, Field(ge=0, description="Rows that were there already.", examples=[0])]
    rejected: Count
    started_at: Moment
    finished_at: Moment | None


class WaitingMoney(TypedDict):
    """What waits in one currency."""

    currency: Currency
    amount_cents: Cents


class Attention(TypedDict):
    """What waits for somebody; the failures are of the days from `since` to `until`."""

    since: Day
    until: Day
    failed: Count
    in_review: Count
    pending: Count
    waiting: list[WaitingMoney]
    mappings: Annotated[int, Field(ge=0, description="Pending mappings.", examples=[3])]
    oldest: Annotated[Recent | None, Field(description="The pending transaction that has waited longest.")]
    unfinished: list[ImportRun]


class DaySums(TypedDict):
    """What 24 hours came to."""

    transactions: Count
    volume_cents: Cents
    invested_cents: Cents
    failed: Count
    users: Count
    mappings: Count


class LastDay(TypedDict):
    """The 24 whole hours before `until`, and the 24 before those; the counts are of all currencies."""

    until: Moment
    currency: Currency
    currencies: Count
    now: DaySums
    before: DaySums


class DayCounts(TypedDict):
    """Transactions of each whole day from `since` on, and of as many days before."""

    since: Day
    now: list[int]
    before: list[int]


class Overview(TypedDict):
    """What the overview shows."""

    as_of: AsOf
    stats: PlatformStats
    userGrowth: list[Growth]
    recentActivity: list[Activity]
    systemStatus: Annotated[str, Field(description="Who can answer is well.", examples=["operational"])]
    queryTime: Annotated[str, Field(examples=["4 ms"])]
    attention: Attention
    last_day: LastDay
    days: DayCounts
    imports: list[ImportRun]


class OverviewAnswer(TypedDict):
    """What needs attention, what happened lately, and everything there is."""

    success: Succeeded
    data: Overview
