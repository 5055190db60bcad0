"""Merchants, and what stands around one merchant or one mapping, as types of the API."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.api.answers import Cents, Count, Currency, Identified, Moment, Money, Place, word
from kamioi_web.schema import MERCHANT_STATUSES


class MerchantObject(Identified):
    """One descriptor as received, what it is mapped to, and the transactions behind it."""

    cursor: Place
    merchant_name: Annotated[str, Field(examples=["Starbucks"])]
    description: Annotated[str, Field(description="As the bank wrote it.", examples=["STARBUCKS STORE 01234"])]
    company_name: Annotated[str | None, Field(examples=["Starbucks Corporation"])]
    ticker: Annotated[str | None, Field(examples=["SBUX"])]
    category: Annotated[str | None, Field(examples=["Dining"])]
    status: Annotated[str, word(MERCHANT_STATUSES, description="Mapped to a ticker, to nobody's company, or not yet.")]
    mapping_id: Annotated[int | None, Field(description="The mapping in force.")]
    first_seen: Moment
    last_seen: Moment
    transaction_count: Count
    currency: Annotated[Currency, Field(description="Of most of its transactions.")]
    amount: Money
    amount_cents: Cents


class MerchantStats(TypedDict):
    """The merchants of the filter, from the totals."""

    totalMerchants: Count
    mappedMerchants: Count
    nobodyMerchants: Count
    unmappedMerchants: Count
