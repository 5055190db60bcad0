"""What the API answers, as types: the functions that make an answer are checked against them, and the API's document is
made of them. Here is what all share; the rows of the lists are in objects.py."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.schema import ACCOUNT_TYPES, ROLES


def word(words: tuple[str, ...], **more: Any) -> Any:
    """One of those words, as JSON Schema says it."""
    return Field(json_schema_extra={"enum": [*words]}, examples=[words[0]], **more)


Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2024-03-14T09:49:13.123456Z"])]
Place = Annotated[
    str, Field(description="Its place in the list: what “cursor” takes.", examples=["2024-03-14T09:49:13.123456Z~42"])
]
Money = Annotated[float, Field(description="In units of the currency.", examples=[12.5])]
Cents = Annotated[int, Field(description="The same in hundredths, exact.", examples=[1250])]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
AccountType = Annotated[str, word(ACCOUNT_TYPES)]
Dashboard = Annotated[str, word(("user", "family", "business"), description="The account type in old words.")]
Count = Annotated[int, Field(ge=0, examples=[3])]
Succeeded = Annotated[Literal[True], Field(examples=[True])]


class Identified(TypedDict):
    """An id twice: as a number while every client can hold it, else null, and always as text."""

    id: Annotated[int | None, Field(description="null past 2^53", examples=[42])]
    id_text: Annotated[str, Field(examples=["42"])]


class Error(TypedDict):
    """What went wrong, and what to do about it."""

    success: Literal[False]
    error: Annotated[str, Field(description="What kind of mistake.", examples=["That request cannot be understood"])]
    detail: Annotated[
        str,
        Field(
            description="What is wrong and what is taken instead.",
            examples=["“faild” is not a status. It is one of: pending, mapped, completed, failed, rejected."],
        ),
    ]
    request_id: Annotated[str, Field(description="To find it in the log by.", examples=["5f0c3b1e9a7d2468"])]
    parameter: NotRequired[Annotated[str, Field(description="What is wrong, where one thing is.", examples=["status"])]]


class Pagination(TypedDict):
    """Where this page is. Null where the filter's total is not kept, or where a cursor was given instead of a page."""

    page: Annotated[int | None, Field(examples=[1])]
    limit: Annotated[int, Field(ge=1, examples=[50])]
    total: Annotated[int | None, Field(examples=[1204338])]
    totalPages: Annotated[int | None, Field(examples=[24087])]
    pages: Annotated[int | None, Field(description="The same as totalPages.", examples=[24087])]
    has_next: Annotated[bool, Field(examples=[True])]
    has_prev: Annotated[bool, Field(examples=[False])]
    next_cursor: Annotated[
        str | None,
        Field(description="Give it as “cursor” for the next page; null at the end.", examples=[
            "2024-03-14T09:49:13.123456Z~42"]),
    ]  # fmt: skip


class Meta(TypedDict):
    """The same in other old words, and what there is to say about it."""

    page: Annotated[int | None, Field(examples=[1])]
    per_page: Annotated[int, Field(ge=1, examples=[50])]
    total: Annotated[int | None, Field(examples=[1204338])]
    total_pages: Annotated[int | None, Field(examples=[24087])]
    has_next: Annotated[bool, Field(examples=[True])]
    has_prev: Annotated[bool, Field(examples=[False])]
    exact: Annotated[bool, Field(description="Whether the total is kept for this filter.", examples=[True])]
    searched_to: Annotated[
        str | None,
        Field(description="Where a search that no index serves stopped for now: go on with it as “cursor”.", examples=[
            None]),
    ]  # fmt: skip
    notes: Annotated[list[str], Field(description="What was taken otherwise than it was given.", examples=[[]])]


class Done(TypedDict):
    """It was done."""

    success: Succeeded


class Permissions(TypedDict):
    """The roles that a role includes."""

    viewer: bool
    reviewer: bool
    operator: bool
    owner: bool


class AdminUser(Identified):
    """An admin, in the shape that the old clients read."""

    email: Annotated[str, Field(examples=["ana@example.com"])]
    name: Annotated[str, Field(examples=["ana"])]
    role: Annotated[str, word(ROLES)]
    dashboard: Literal["admin"]
    permissions: Permissions


class Login(TypedDict):
    """A token and whose it is."""

    success: Succeeded
    token: Annotated[str, Field(description="Send it as “Authorization: Bearer …”.", examples=["kam_…"])]
    expires_at: Moment
    user: AdminUser


class Me(TypedDict):
    """Whose session or token it is."""

    success: Succeeded
    user: AdminUser
