"""What a text is found in, as types of the API."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.api.answers import Succeeded

Href = Annotated[str, Field(description="Where its page is.", examples=["/merchants/42"])]


class FoundRow(TypedDict):
    """One thing that was found, as the page shows it; what it has nothing of is empty."""

    title: Annotated[str, Field(examples=["Starbucks"])]
    href: Href
    code: Annotated[str, Field(description="As the bank wrote it, a number or a ticker.", examples=["STARBUCKS 01234"])]
    note: Annotated[str, Field(examples=["SBUX"])]
    figure: Annotated[str, Field(description="The transactions behind it.", examples=["3 transactions"])]
    figure_href: Annotated[str, Field(examples=["/transactions?merchant_id=42"])]
    money: Annotated[str, Field(examples=["$12.50"])]


class FoundSection(TypedDict):
    """What was found of one kind, and where all of it is."""

    name: Annotated[str, Field(examples=["merchants"])]
    title: Annotated[str, Field(examples=["Merchants"])]
    rows: list[FoundRow]
    more_href: Annotated[str | None, Field(examples=["/transactions?merchant=starbucks"])]


class Correction(TypedDict):
    """A likelier spelling."""

    text: Annotated[str, Field(examples=["starbucks"])]
    figure: Annotated[str, Field(examples=["3 merchants"])]


class SearchAnswer(TypedDict):
    """Everything that holds the text, the empty sections left out."""

    success: Succeeded
    sections: list[FoundSection]
    corrections: list[Correction]
