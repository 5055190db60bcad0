"""What an admin chooses about a file in the browser, as the URL holds it, and as an import takes it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kamioi_web.errors import BadRequest
from kamioi_web.filters import refuse_unknown
from kamioi_web.importing.columns import MAPPINGS, TRANSACTIONS
from kamioi_web.importing.columns import Kind as Fields
from kamioi_web.importing.mappings import plan_mappings
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.run import Job
from kamioi_web.importing.transactions import plan_transactions
from kamioi_web.list_request import single

LONGEST = 400  # characters of a choice
DATES = {"day": True, "month": False}
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin_1", "iso8859_15", "cp1250", "cp1251",
    "cp1253", "cp1254", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
COLUMN = "column_"
# What the importer says to people at a command line, and what it says here.
IN_PAGES = (
    (r'Say which is which, as in --map ".*"\. (?=Fields:)', "Choose which is which under Columns. "),
    (r'Say which, as in --map ".*"\.', "Choose one of them under Columns."),
    (r'say --map "Column=-amount"', "choose its column as -amount"),
    (r"say --dayfirst if", "choose “day first” if"),
    (r"say --encoding if", "choose another encoding if"),
    (r"if that is right, say --allow-changed\.", "if that is right, tick “Go on although it has changed”."),
)


@dataclass(frozen=True)
class What:
    """What a file may hold: its fields, and how a file of it is read."""

    fields: Fields
    plan: Callable[[Path, ImportOptions], Job]


KINDS = {"transactions": What(TRANSACTIONS, plan_transactions), "mappings": What(MAPPINGS, plan_mappings)}


@dataclass(frozen=True)
class Choice:
    """What was chosen; an empty text means: found by itself. `columns` is {field: column}."""

    kind: str
    preset: str = ""
    currency: str = ""
    account: str = ""
    dates: str = ""
    encoding: str = ""
    delimiter: str = ""
    changed: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def what(self) -> What:
        return KINDS[self.kind]

    def pairs(self) -> list[tuple[str, str]]:
        """The choice as parameters of a URL or fields of a form."""
        plain = [(name, getattr(self, name)) for name in PLAIN]
        return [(name, text) for name, text in plain if text] + [(COLUMN + name, c) for name, c in self.columns.items()]

    def options(self, name: str, **more: Any) -> ImportOptions:
        """The choice as an import of a file of this name takes it."""
        return ImportOptions(
            name=name,
            preset=self.preset or None,
            currency=self.currency or None,
            account=self.account or None,
            dayfirst=DATES.get(self.dates),
            encoding=self.encoding or None,
            delimiter=DELIMITERS.get(self.delimiter),
            allow_changed=bool(self.changed),
            mapping={column: name for name, column in self.columns.items()},
            **more,
        )


PRESET_NAMES = [preset.name for preset in TRANSACTIONS.presets]
PLAIN = ("kind", "preset", "currency", "account", "dates", "encoding", "delimiter", "changed")


def parse(values: Mapping[str, list[str]], also: Sequence[str] = ()) -> Choice:
    """Read a choice from parameters; BadRequest names the one that cannot be taken."""
    kind = _one_of("kind", single(values, "kind") or "transactions", KINDS)
    fields = KINDS[kind].fields
    every = {name for what in KINDS.values() for name in what.fields.aliases}
    refuse_unknown(values, [*PLAIN, *(COLUMN + name for name in every), *also])
    columns = {name: _text(values, COLUMN + name) for name in fields.aliases}
    return Choice(
        kind,
        preset=_one_of("preset", single(values, "preset"), PRESET_NAMES) if fields.presets else "",
        currency=_text(values, "currency"),
        account=_text(values, "account"),
        dates=_one_of("dates", single(values, "dates"), DATES),
        encoding=_one_of("encoding", single(values, "encoding"), ENCODINGS),
        delimiter=_one_of("delimiter", single(values, "delimiter"), DELIMITERS),
        changed=_one_of("changed", single(values, "changed"), ("yes",)),
        columns={name: column for name, column in columns.items() if column},
    )


def clash(choice: Choice) -> str | None:
    """What to say where one column was chosen for two fields."""
    seen: dict[str, str] = {}
    for name, column in choice.columns.items():
        if column in seen:
            return f"“{column[:80]}” is chosen for {seen[column]} and for {name}; a column can be one of them."
        seen[column] = name
    return None


def in_pages(text: str) -> str:
    """The words of the importer without the options of the command."""
    for pattern, instead in IN_PAGES:
        text = re.sub(pattern, instead, text, flags=re.DOTALL)
    return text


def _one_of(name: str, text: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    if text and text not in known:
        raise BadRequest(f"“{text[:40]}” is not a value that “{name}” takes. It takes {', '.join(known)}.", name)
    return text


def _text(values: Mapping[str, list[str]], name: str) -> str:
    text = single(values, name)
    if len(text) > LONGEST or "\0" in text:
        raise BadRequest(f"“{name}” takes at most {LONGEST} characters, without NULs.", name)
    return text
