"""What a column of a list becomes in a file: its headings, and how the values of `as_json` are to be understood."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

Kind = Literal["text", "whole", "share", "money", "moment"]


class Field(NamedTuple):
    """One column of a file: its heading, and the key of `as_json` that its values are under."""

    header: str
    key: str
    kind: Kind

    def value(self, found: Any) -> Any:
        """The value as its kind has it: an int (of cents, for money), a float or text; None where there is none."""
        if self.kind in ("whole", "money") and found is not None:
            return int(found)
        return json.dumps(found, ensure_ascii=False) if isinstance(found, dict | list) else found


Export = Mapping[str, Sequence[Field]]  # of each key of COLUMNS


def words(header: str, key: str = "") -> Field:
    """Words, or what reads as JSON."""
    return Field(header, key or header, "text")


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
