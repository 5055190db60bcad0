"""The rows of the lists and the objects of the API, as types, under the names that the old clients read. Money stands
twice: as a number, as they read it, and as exact cents."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.api.answers import (
    AccountType,
    Cents,
    Count,
    Currency,
    Dashboard,
    Identified,
    Moment,
    Money,
    Place,
    Succeeded,
    word,
)
from kamioi_web.jobs.tables import STATES
from kamioi_web.schema import (
    IMPORT_KINDS,
    IMPORT_STATES,
    MAPPING_SOURCES,
    MAPPING_STATUSES,
    SOURCES,
    STATUSES,
    USER_STATUSES,
)


class Transaction(Identified):
    """One transaction. The names are those that the old clients read, some of them twice."""

    cursor: Place
    date: Annotated[Moment, Field(description="When it was posted.")]
    created_at: Annotated[Moment, Field(description="When it came in.")]
    user_id: int
    userId: Annotated[int, Field(description="The same as user_id.")]
    user_name: str | None
    user_email: str | None
    user_role: Annotated[AccountType, Field(description="The same as account_type.")]
    account_number: Annotated[str | None, Field(examples=["I1000042"])]
    account_type: Annotated[AccountType, Field(description="The owner's when it was posted.")]
    dashboard: Dashboard
    merchant_id: int
    merchant: Annotated[str | None, Field(examples=["Starbucks"])]
    description: Annotated[str | None, Field(description="As the bank wrote it.", examples=["STARBUCKS STORE 01234"])]
    category: Annotated[str, Field(examples=["Dining"])]
    status: Annotated[str, word(STATUSES)]
    ticker: Annotated[str | None, Field(examples=["SBUX"])]
    source: Annotated[str, word(SOURCES)]
    currency: Currency
    amount: Annotated[Money, Field(description="Refunds are below zero.")]
    amount_cents: Cents
    round_up: Money
    roundUp: Annotated[Money, Field(description="The same as round_up.")]
    round_up_cents: Cents
    fee: Money
    fee_cents: Cents
    total_debit: Annotated[Money, Field(description="Amount, round-up and fee together.")]
    total_debit_cents: Cents
    shares: Annotated[None, Field(description="Not kept; null, for clients that look for it.")]
    stock_price: Annotated[None, Field(description="Not kept.")]
    stockPrice: Annotated[None, Field(description="Not kept.")]


class TransactionStats(TypedDict):
    """The figures of the filter, from the totals. Money is in `currency`, the one with the most rows."""

    totalTransactions: Count
    currency: Currency
    totalRoundUps: Money
    availableToInvest: Annotated[Money, Field(description="Round-ups of mapped transactions.")]
    totalInvested: Annotated[Money, Field(description="Round-ups of completed transactions.")]
    userTransactions: Annotated[int | None, Field(description="Of individual accounts.")]
    familyTransactions: int | None
    businessTransactions: int | None


class Allocation(TypedDict):
    """A share of the round-up."""

    stock_symbol: Annotated[str, Field(examples=["SBUX"])]
    allocation_amount: Money
    allocation_cents: Cents
    allocation_percentage: Annotated[float, Field(ge=0, le=100, examples=[50.0])]


class WholeTransaction(Transaction):
    """One transaction and where its round-up went."""

    allocations: list[Allocation]


class TransactionAnswer(TypedDict):
    """One transaction."""

    success: Succeeded
    transaction: WholeTransaction


class User(Identified):
    """One user, with what they did in the currency of most of it."""

    cursor: Place
    account_number: Annotated[str, Field(examples=["I1000042"])]
    name: Annotated[str, Field(examples=["Ana Young"])]
    email: Annotated[str | None, Field(examples=["ana@example.com"])]
    account_type: AccountType
    status: Annotated[str, word(USER_STATUSES)]
    city: str | None
    state: str | None
    created_at: Moment
    round_up_amount: Money
    round_up_cents: Cents
    transaction_count: Count
    currency: Currency
    total_spent: Money
    total_spent_cents: Cents
    total_invested: Money
    total_invested_cents: Cents
    last_activity: Annotated[Moment | None, Field(description="Null for one who never bought anything.")]


class UserStats(TypedDict):
    """The users of the filter, from the totals."""

    totalUsers: Count
    activeUsers: Count
    individualUsers: Count
    familyUsers: Count
    businessUsers: Count


class UserTotal(TypedDict):
    """A user's transactions of one status in one currency."""

    status: Annotated[str, word(STATUSES)]
    currency: Currency
    n: Count
    amount_cents: Cents
    round_up_cents: Cents


class Holding(TypedDict):
    """What a user's completed round-ups bought of one ticker."""

    ticker: Annotated[str, Field(examples=["SBUX"])]
    currency: Currency
    n: Count
    invested: Money
    invested_cents: Cents


class WholeUser(User):
    """One user with their totals and what they hold."""

    totals: list[UserTotal]
    portfolio: list[Holding]
    portfolio_since: Annotated[
        Moment | None, Field(description="Where reading the portfolio stopped; null when it is whole.")
    ]


class UserAnswer(TypedDict):
    """One user."""

    success: Succeeded
    user: WholeUser


class MappingObject(Identified):
    """What one merchant was found to be, and the transactions behind that merchant."""

    cursor: Place
    merchant_id: int
    merchant_name: Annotated[str | None, Field(examples=["Starbucks"])]
    description: Annotated[str | None, Field(description="As the bank wrote it.", examples=["STARBUCKS STORE 01234"])]
    company_name: Annotated[str | None, Field(examples=["Starbucks Corporation"])]
    ticker: Annotated[str | None, Field(description="Null for a merchant that is no company's.", examples=["SBUX"])]
    ticker_symbol: Annotated[str | None, Field(description="The same as ticker.", examples=["SBUX"])]
    category: Annotated[str | None, Field(examples=["Dining"])]
    confidence: Annotated[float, Field(ge=0, le=1, examples=[0.93])]
    status: Annotated[str, word(MAPPING_STATUSES)]
    admin_approved: Annotated[
        int, Field(json_schema_extra={"enum": [-1, 0, 1]}, description="The status in old words.")
    ]
    approval_status_label: Annotated[str, Field(description="The status to be shown.", examples=["Pending"])]
    display_status: Annotated[str, word(MAPPING_STATUSES, description="The same as status.")]
    source: Annotated[str, word(MAPPING_SOURCES)]
    approval_source: Annotated[str, word(MAPPING_SOURCES, description="The same as source.")]
    source_ref: str | None
    model: Annotated[str | None, Field(description="The model that proposed it.")]
    rationale: str | None
    decided_by: Annotated[str | None, Field(examples=["ana@example.com"])]
    decided_at: Moment | None
    version: int
    created_at: Moment
    transaction_count: Count
    currency: Annotated[Currency, Field(description="Of most of the merchant's transactions.")]
    amount: Money
    amount_cents: Cents
    user_id: Annotated[None, Field(description="A mapping is a merchant's here, no user's; null.")]
    user_email: None
    user_name: None
    user_account_number: None


class MappingStats(TypedDict):
    """The mappings of the filter, from the totals."""

    totalMappings: Count
    pendingMappings: Count
    approvedMappings: Count
    rejectedMappings: Count
    supersededMappings: Count


class Event(Identified):
    """What somebody did, or what happened to an account."""

    cursor: Place
    at: Moment
    admin_id: Annotated[int | None, Field(description="Null for the system, and for who is not known.")]
    admin: Annotated[str | None, Field(examples=["ana@example.com"])]
    action: Annotated[str, Field(examples=["login.success"])]
    subject: Annotated[str | None, Field(examples=["transaction"])]
    subject_id: int | None
    detail: Annotated[dict[str, Any], Field(description="What belongs to the action.", examples=[{}])]
    address: Annotated[str | None, Field(examples=["192.0.2.7"])]
    request_id: Annotated[str | None, Field(examples=["5f0c3b1e9a7d2468"])]


class EventStats(TypedDict):
    """The events of the filter, from the totals."""

    totalEvents: Count
    actions: Annotated[
        dict[str, int] | None, Field(description="The events of each action.", examples=[{"login.success": 3}])
    ]


class Import(Identified):
    """One file that was imported, or that is being."""

    cursor: Place
    kind: Annotated[str, word(IMPORT_KINDS)]
    file_name: Annotated[str, Field(examples=["2024-03.csv"])]
    state: Annotated[str, word(IMPORT_STATES, description="What was stopped half-way is still “running”.")]
    rows_added: Count
    rows_known: Annotated[Count, Field(description="Rows of the file that were there already.")]
    rows_rejected: Count
    started_at: Moment
    finished_at: Moment | None


class Job(Identified):
    """A piece of work in the background."""

    cursor: Place
    kind: Annotated[str, Field(examples=["bulk", "export"])]
    title: str
    ordered_by: Annotated[str | None, Field(description="An admin's e-mail; null where a schedule ordered it.")]
    state: Annotated[str, word(STATES)]
    rows_done: Count
    rows_total: Count | None
    result: Annotated[dict[str, Any], Field(description="What came of it, by kind: rows changed, left, a file.")]
    error: str | None
    undo_of: Annotated[int | None, Field(description="The job that this one puts back.")]
    undone_by: Annotated[int | None, Field(description="The job that put this one back.")]
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class ChangedStatus(Identified):
    """A transaction and the status that it has now."""

    status: Annotated[str, word(STATUSES)]


class StatusAnswer(TypedDict):
    """The status was changed, or was that already."""

    success: Succeeded
    transaction: ChangedStatus


class JobAnswer(TypedDict):
    """One job."""

    success: Succeeded
    job: Job


ImportAnswer = TypedDict("ImportAnswer", {"success": Succeeded, "import": Import})


class EventAnswer(TypedDict):
    """One event."""

    success: Succeeded
    event: Event
