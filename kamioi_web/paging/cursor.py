"""A cursor names a place in a list: the order's time and the row's id, written so that a person can read it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from kamioi_web.errors import BadRequest

MAX_ID = 2**63 - 1
FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z~(\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in (time, id) order. It means the same under any filter, never expires and grants nothing."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()[:-6]}Z~{self.id}"

    @classmethod
    def parse(cls, text: str, parameter: str) -> "Cursor":
        """Read a cursor strictly; anything else is a BadRequest that says what a cursor looks like."""
        match = FORM.fullmatch(text)
        try:
            at = datetime.fromisoformat(match[1]).replace(tzinfo=UTC) if match else None
        except ValueError:
            at = None
        if match is None or at is None or at.year < 1970 or int(match[2]) > MAX_ID:
            raise BadRequest(
                f"“{text[:80]}” is not a place in this list. A place looks like 2024-03-14T09:49:13.123456Z~834211871; "
                "open the list and go from there.",
                parameter,
            )
        return cls(at, int(match[2]))
