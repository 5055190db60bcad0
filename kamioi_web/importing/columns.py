"""Which column of a file is which field: by preset, by the person's word, or by the names that are common."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kamioi_web.errors import KamioiError
from kamioi_web.importing.presets import PRESETS, Preset

Columns = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Kind:
    """What is imported: its fields, those a file must have, and the names that columns have for them, best first."""

    name: str
    aliases: dict[str, tuple[str, ...]]
    required: tuple[str, ...]
    presets: tuple[Preset, ...] = ()

    def lacks(self, columns: Columns) -> list[str]:
        """The required fields that no column gives; debit or credit stand for the amount."""
        paired = {"amount"} if {"debit", "credit"} & set(columns) or "-amount" in columns else set()
        return [name for name in self.required if name not in columns and name not in paired]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("|"))


TRANSACTIONS = Kind(
    "transactions",
    {
        "date": _names(
            "transaction date | date | trans date | purchase date | date of transaction | posted at | posted | "
            "posting date | posted date | date posted | completed date | booking date | value date | timestamp | "
            "datetime | created | payment date | journal date"
        ),
        "merchant": _names(
            "merchant | merchant name | descriptor | merchant descriptor | payee | vendor | vendor name | creditor | "
            "supplier | supplier name | counterparty | description | transaction description | narrative | details | "
            "name | memo"
        ),
        "amount": _names(
            "amount | transaction amount | transaction amt | amt | value | total | gross amount | billing amount | "
            "gross | sum | amount usd | amount gbp | amount eur | amount cad | price"
        ),
        "debit": _names("debit | debit amount | withdrawal | withdrawals | money out | paid out"),
        "credit": _names("credit | credit amount | deposit | deposits | money in | paid in"),
        "currency": _names("currency | transaction currency | currency code | ccy | billing currency"),
        "category": _names("category | expense category | expense type | account description"),
        "mcc": _names("mcc | merchant category code | mcc code | merchant type"),
        "account": _names(
            "user | account | user name | account name | account number | user email | email | cardholder | "
            "card holder | customer | division | directorate | service area | department"
        ),
        "round_up": _names("round up | roundup | round up amount"),
        "fee": _names("fee | fee amount | platform fee"),
        "reference": (),  # only when the person or a preset says so: a guess could drop rows that share one
        "copies": (),
        "-amount": (),
    },
    ("date", "merchant", "amount"),
    PRESETS,
)
MAPPINGS = Kind(
    "mappings",
    {
        "merchant": _names("merchant name | merchant | name"),
        "ticker": _names("ticker symbol | ticker | symbol | stock"),
        "category": _names("category | cat | type"),
        "confidence": _names("confidence | conf | score"),
        "company": _names("company name | company"),
        "notes": _names("notes | description"),
    },
    ("merchant", "ticker"),
)
INSTRUMENTS = Kind(
    "instruments",
    {
        "ticker": _names("ticker | symbol | act symbol | nasdaq symbol | ticker symbol"),
        "company": _names("company name | company | title | security name | name | security"),
        "exchange": _names("exchange | listing exchange"),
    },
    ("ticker", "company"),
)


@lru_cache(maxsize=10_000)
def plain(name: str) -> str:
    """A column's name without case, line breaks and punctuation."""
    return " ".join(re.sub(r"[\W_]+", " ", name.casefold()).split())


def preset_for(kind: Kind, header: Sequence[str], wanted: str | None = None) -> Preset | None:
    """The preset whose signature this header has; the one named `wanted` must fit."""
    names = {plain(name) for name in header}
    fitting = [preset for preset in kind.presets if preset.signature <= names]
    if wanted is None:
        return max(fitting, key=lambda preset: len(preset.signature), default=None)
    named = [preset for preset in kind.presets if preset.name == wanted]
    if not named:
        known = ", ".join(preset.name for preset in kind.presets) or "none"
        raise KamioiError(f'There is no preset "{wanted}". Known ones: {known}.')
    if named[0] not in fitting:
        missing = ", ".join(sorted(named[0].signature - names))
        raise KamioiError(f'The file does not fit the preset "{wanted}": it has no column {missing}.')
    return named[0]


def by_preset(preset: Preset, header: Sequence[str]) -> Columns:
    """The columns that the preset names and the file has; of two with one name, the first."""
    names = [plain(name) for name in header]
    found = {
        field: tuple(names.index(column) for column in columns if column in names)
        for field, columns in preset.fields.items()
    }
    return {field: places for field, places in found.items() if places}


def by_alias(kind: Kind, header: Sequence[str]) -> Columns:
    """The columns with common names. A name that two columns share is not guessed."""
    names = [plain(name) for name in header]
    found: Columns = {}
    for field, aliases in kind.aliases.items():
        best = next((alias for alias in aliases if alias in names), None)
        if best is not None and names.count(best) == 1:
            found[field] = (names.index(best),)
    if "amount" in found:
        found.pop("debit", None)
        found.pop("credit", None)
    return found


def by_word(kind: Kind, header: Sequence[str], mapping: dict[str, str]) -> Columns:
    """The columns that the person named, as `Column`, or `Column#2` for the second of that name."""
    found: Columns = {}
    for column, field in mapping.items():
        if field not in kind.aliases:
            raise KamioiError(f'There is no field "{field}". Fields: {", ".join(kind.aliases)}.')
        found[field] = (*found.get(field, ()), _place(header, column))
    return found


def can_place(header: Sequence[str], columns: Iterable[str]) -> bool:
    """Whether the header has all these columns."""
    names = {plain(name) for name in header}
    return all(plain(re.sub(r"#\d+$", "", column)) in names or plain(column) in names for column in columns)


def how_to_map(kind: Kind, header: Sequence[str], lacking: Iterable[str]) -> KamioiError:
    """What to answer when the columns cannot be told."""
    shared = sorted(name for name, count in Counter(header).items() if count > 1 and name.strip())
    named = ", ".join(f'"{" ".join(name.split())}"' for name in header[:60])
    first = next((name for name in header if name.strip()), "Column")
    return KamioiError(
        f"No column could be told to be: {', '.join(lacking)}. The columns are: {named}. "
        f'Say which is which, as in --map "{" ".join(first.split())}={next(iter(lacking), "date")}". '
        f"Fields: {', '.join(kind.aliases)}."
        + (f' Columns with the same name are told apart as "{shared[0]}#2".' if shared else "")
    )


def _place(header: Sequence[str], column: str) -> int:
    numbered = re.fullmatch(r"(.+)#(\d+)", column)
    name, number = (numbered[1], int(numbered[2])) if numbered else (column, 0)
    places = [place for place, own in enumerate(header) if plain(own) == plain(name)]
    if not places and numbered:
        places, number = [place for place, own in enumerate(header) if plain(own) == plain(column)], 0
    if not places or number > len(places):
        known = ", ".join(f'"{own}"' for own in header[:60] if own.strip())
        raise KamioiError(f'The file has no column "{column}". Its columns: {known}.')
    if len(places) > 1 and not number:
        raise KamioiError(f'Columns {", ".join(str(place + 1) for place in places)} are all named "{column}". '
                          f'Say which, as in --map "{column}#2=...".')  # fmt: skip
    return places[max(number, 1) - 1]
