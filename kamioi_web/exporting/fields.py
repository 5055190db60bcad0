"""What a column of a list becomes in a file: its headings, and how the values of `as_json` are to be understood."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Kind = Literal["text", "json", "whole", "share", "money", "moment"]


class Field(NamedTuple):
    """One column of a file: its heading, and the key of `as_json` that its values are under."""

    header: str
    key: str
    kind: Kind

    def value(self, found: Any) -> Any:
        """The value as its kind has it: an int (of cents, for money), a float or text; None where there is none."""
        if found is None or self.kind not in ("whole", "json"):
            return found
        return int(found) if self.kind == "whole" else json.dumps(found, ensure_ascii=False)


Export = Mapping[str, Sequence[Field]]  # of each key of COLUMNS


def taken_by(fields: Sequence[Field]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """What takes the values of these columns from an object of `as_json`; it is called for each row."""
    keys = [field.key for field in fields]
    read = [(at, field.value) for at, field in enumerate(fields) if field.kind in ("whole", "json")]

    def take(found: Mapping[str, Any]) -> list[Any]:
        values = [found[key] for key in keys]
        for at, value in read:
            values[at] = value(values[at])
        return values

    return take


def words(header: str, key: str = "") -> Field:
    """Text."""
    return Field(header, key or header, "text")


def json_words(header: str) -> Field:
    """What has parts, as JSON."""
    return Field(header, header, "json")


def whole(header: str, key: str = "") -> Field:
    """A whole number, which may be larger than a spreadsheet holds."""
    return Field(header, key or header, "whole")


def share(header: str) -> Field:
    """A number from 0 to 1."""
    return Field(header, header, "share")


def cents(header: str, key: str = "") -> Field:
    """An amount with two decimals, from exact cents."""
    return Field(header, key or f"{header}_cents", "money")


def moment(header: str, key: str = "") -> Field:
    """A time in UTC."""
    return Field(header, key or header, "moment")


ID = whole("id", "id_text")
