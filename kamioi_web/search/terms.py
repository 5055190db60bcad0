"""What is typed into the search box, cut into words and operators. Everything that is no operator is plain text."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

# Written to be unseen: they come along with what is copied, and nobody searches for them. The joiners of Arabic,
# Indic and other scripts (U+200C, U+200D) are not among them.
UNSEEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
OPERATOR = re.compile(r"([^\W\d_]\w*):")
VALUE = re.compile(r'(?:"[^"]*(?:"|\Z)|[^\s"])*')
WORD = re.compile(r'"[^"]*(?:"|\Z)|\S+')
PART = re.compile(r'((?:"[^"]*(?:"|\Z)|[^",])*)(?:,|\Z)')


@dataclass(frozen=True)
class Term:
    """One word, or a quoted run of them, or an operator with its value as it was typed."""

    operator: str  # as typed, small; "" for plain text
    value: str
    begin: int = 0  # where it stands in the text without what is unseen
    end: int = 0

    @property
    def text(self) -> str:
        """The value without its quotes; inside a word a quote is a letter like any other."""
        return unquoted(self.value) if self.operator or self.value.startswith('"') else self.value

    @property
    def values(self) -> list[str]:
        """The values between commas, without quotes; a comma inside quotes belongs to its value."""
        parts = [unquoted(match[1]).strip() for match in PART.finditer(self.value)]
        return [part for part in parts if part]


def split(typed: str, operators: Collection[str]) -> Iterator[Term]:
    """The terms of a text in their order. A colon after anything that is not in `operators` is part of the text.

    A quote begins at the beginning of a word or of a value, and one that is not closed reaches to the end.
    """
    typed = UNSEEN.sub("", typed)
    at = 0
    while at < len(typed):
        if typed[at].isspace():
            at += 1
            continue
        named = OPERATOR.match(typed, at)
        if named and named[1].casefold() in operators:
            match = VALUE.match(typed, named.end())
            assert match is not None  # it matches nothing at all, too
            yield Term(named[1].casefold(), match[0], at, match.end())
        else:
            match = WORD.match(typed, at)
            assert match is not None  # here is no blank
            yield Term("", match[0], at, match.end())
        at = match.end()


def unquoted(value: str) -> str:
    """A value without the quotes around its parts."""
    return re.sub(r'"([^"]*)(?:"|\Z)', r"\1", value)


def quoted(value: str) -> str:
    """A value as it is typed: in quotes where it would fall apart without."""
    return f'"{value}"' if re.search(r'[\s,"]', value) or not value else value
