"""Merchants, and what stands around one merchant or one mapping, as types of the API."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.api.answers import Cents, Count, Currency, Identified, Moment, Money, Place, Succeeded, word
from kamioi_web.api.objects import MappingObject
from kamioi_web.schema import MERCHANT_STATUSES, STATUSES


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


class MerchantTotal(TypedDict):
    """A merchant's transactions of one status in one currency."""

    status: Annotated[str, word(STATUSES)]
    currency: Currency
    n: Count
    amount_cents: Cents
    round_up_cents: Cents


class WholeMapping(MappingObject):
    """One mapping with its merchant's totals and the other mappings of that merchant, the newest first."""

    in_force: Annotated[bool, Field(description="Whether the merchant carries it.")]
    totals: list[MerchantTotal]
    others: Annotated[list[MappingObject], Field(description="At most 50.")]


class MappingAnswer(TypedDict):
    """One mapping."""

    success: Succeeded
    mapping: WholeMapping


class WholeMerchant(MerchantObject):
    """One merchant with its totals and the mapping in force."""

    totals: list[MerchantTotal]
    mapping: MappingObject | None


class MerchantAnswer(TypedDict):
    """One merchant."""

    success: Succeeded
    merchant: WholeMerchant
