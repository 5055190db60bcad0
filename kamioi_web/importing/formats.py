"""How a file writes its amounts and dates, decided once for the whole file from what is in it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kamioi_web.importing import amounts, dates
from kamioi_web.importing.detect import Layout
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.reading import Source
from kamioi_web.importing.records import read_records

SAMPLE_ROWS = 2_000
AMOUNT_FIELDS = ("amount", "-amount", "debit", "credit")


@dataclass(frozen=True)
class Formats:
    """The decimal sign, whether the day comes first, the currency whose sign the amounts carry; and that in words."""

    decimal: str = "."
    dayfirst: bool = False
    currency: str | None = None
    told: tuple[str, ...] = ()


class Evidence:
    """What the dates and amounts seen so far say."""

    def __init__(self) -> None:
        self.decimals: Counter[str] = Counter()
        self.ambiguous_amounts = 0
        self.dayfirst: Counter[bool] = Counter()
        self.open_dates = 0
        self.symbols: set[str] = set()
        self.below = self.amounts = 0

    def add(self, dates_seen: list[str], amounts_seen: list[str]) -> None:
        """Take note of one row."""
        for text in dates_seen:
            first = dates.day_first(text)
            if first is not None:
                self.dayfirst[first] += 1
            self.open_dates += dates.is_open(text)
        for text in amounts_seen:
            if not text.strip():
                continue
            sign = amounts.decimal_of(text)
            if sign:
                self.decimals[sign] += 1
            elif "," in text or "." in text:
                self.ambiguous_amounts += 1
            self.symbols |= {sign for sign in amounts.SYMBOLS if sign in text}
            self.amounts += 1
            self.below += "-" in text or "(" in text or "−" in text

    def settled(self) -> bool:
        """Whether nothing that was seen could still be read in two ways."""
        return (bool(self.dayfirst) or not self.open_dates) and (bool(self.decimals) or not self.ambiguous_amounts)


def find_formats(path: Path, layout: Layout, options: ImportOptions) -> Formats:
    """Decide from the first rows, and while they leave a question open, from as many more as it takes."""
    evidence = Evidence()
    source = Source(path, layout.encoding, options.most_bytes)
    rows = _rows(source, layout)
    date_places = layout.columns.get("date", ())
    amount_places = [place for field in AMOUNT_FIELDS for place in layout.columns.get(field, ())]
    told_order = _told_order(layout, options)
    for count, row in enumerate(rows):
        if count >= SAMPLE_ROWS and (evidence.settled() or (told_order is not None and evidence.decimals)):
            break
        if options.look and count >= options.look:
            source.cut = True
            break
        if options.check and not count % SAMPLE_ROWS:
            options.check()
        evidence.add([row[place] for place in date_places], [row[place] for place in amount_places])
    dayfirst, date_words = _date_order(evidence, told_order)
    decimal, number_words = _decimal(evidence, layout.delimiter)
    told = (date_words, number_words, *_sign_words(evidence))
    if source.cut and not evidence.settled():
        told = (*told, "So far: an import looks at more rows where the first ones leave this open.")
    return Formats(decimal, dayfirst, amounts.symbol_of(evidence.symbols), told)


def _rows(source: Source, layout: Layout) -> Iterator[list[str]]:
    width = len(layout.header)
    for block in read_records(source.parts(), layout.delimiter, width):
        if not block.problem:
            for line, row in zip(block.lines, block.rows, strict=True):
                if line > layout.header_line and len(row) >= width:
                    yield row


def _told_order(layout: Layout, options: ImportOptions) -> bool | None:
    if options.dayfirst is not None:
        return options.dayfirst
    return layout.preset.dayfirst if layout.preset else None


def _date_order(evidence: Evidence, told: bool | None) -> tuple[bool, str]:
    names = {True: "day first", False: "month first"}
    if told is not None:
        return told, f"Dates: {names[told]}, as the option or the preset says."
    if not evidence.open_dates:
        return False, "Dates: written so that day and month cannot be taken for each other."
    seen = evidence.dayfirst
    if not seen:
        return False, "Dates: month first. Nothing in the file decides it; say --dayfirst if the day comes first."
    first = seen[True] > seen[False]
    against = seen[not first]
    doubt = f" {against:,} dates looked at say otherwise and are rejected." if against else ""
    return first, f"Dates: {names[first]}, as days above 12 show.{doubt}"


def _decimal(evidence: Evidence, delimiter: str) -> tuple[str, str]:
    names = {".": "1,234.56 (decimal point)", ",": "1.234,56 (decimal comma)"}
    seen = evidence.decimals
    if not seen:
        sign = "," if delimiter == ";" else "."
        doubt = " Nothing in the file decides it." if evidence.ambiguous_amounts else ""
        return sign, f"Numbers: {names[sign]}.{doubt}"
    sign = max(seen, key=lambda key: seen[key])
    other = sum(seen.values()) - seen[sign]
    return sign, f"Numbers: {names[sign]}." + (f" {other:,} of those looked at are the other way." if other else "")


def _sign_words(evidence: Evidence) -> list[str]:
    if evidence.below * 2 <= evidence.amounts:
        return []
    return [
        "Signs: most amounts are below zero. An amount above zero is a purchase and one below zero a refund; "
        'if this file has it the other way round, say --map "Column=-amount".'
    ]
