"""The figures of the whole platform, as types of the API."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.api.answers import Count, Currency, Moment, Money, Succeeded

Day = Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["2024-03-14"])]
AsOf = Annotated[Moment, Field(description="When it was read; it is kept for some seconds.")]


class UserMetrics(TypedDict):
    """Who there is, and what they put aside in the currency of most transactions."""

    success: Succeeded
    as_of: AsOf
    totalUsers: Count
    activeUsers: Count
    individualUsers: Count
    familyUsers: Count
    businessUsers: Count
    currency: Currency
    totalRoundUps: Money
    totalFees: Money
    aiMappings: Annotated[int, Field(ge=0, description="Mappings of every status.", examples=[3])]


class QueueStatus(TypedDict):
    """Mappings of each status."""

    total_entries: Count
    total_mappings: Annotated[int, Field(ge=0, description="The same as total_entries.", examples=[3])]
    auto_applied: Annotated[int, Field(ge=0, description="Approved, and made by no admin.", examples=[2])]
    approved: Count
    pending: Count
    rejected: Count
    superseded: Count


class QueueData(TypedDict):
    """The queue of mappings."""

    as_of: AsOf
    queue_status: QueueStatus


class QueueAnswer(TypedDict):
    """How many mappings wait for a decision, and how many have one."""

    success: Succeeded
    data: QueueData
