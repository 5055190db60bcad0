"""What kind of text a file is: its encoding, its delimiter, where its header is."""

import codecs
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from charset_normalizer import from_bytes

from kamioi_web.errors import KamioiError
from kamioi_web.importing import columns
from kamioi_web.importing.columns import Columns, Kind
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.presets import Preset
from kamioi_web.importing.reading import SURROGATES, Part, first_bytes
from kamioi_web.importing.records import read_records

SAMPLE_BYTES = 1 << 18
HEADER_RECORDS = 100
HEADER_LINES = 400
COLUMNS_LIMIT = 1_000
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
EIGHT_BIT = ["cp1252", "latin_1", "iso8859_15", "cp1250", "cp1251", "cp1253", "cp1254"]
WESTERN = {"cp1252", "latin_1", "iso8859_15"}
MANY_BYTE = ["shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"]


@dataclass(frozen=True)
class Layout:
    """How the file is written; the records begin after the one at `header_line`."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_line: int
    preset: Preset | None
    columns: Columns


def find_layout(path: Path, kind: Kind, options: ImportOptions) -> Layout:
    """The layout of this file. KamioiError when it is empty or its columns cannot be told."""
    return _with_columns(find_header(path, kind, options), kind, options)


def find_header(path: Path, kind: Kind, options: ImportOptions) -> Layout:
    """The layout before any column is told: what a person needs to say which is which."""
    sample = first_bytes(path, SAMPLE_BYTES)
    encoding = options.encoding or find_encoding(sample)
    _check_encoding(encoding)
    try:
        lines = _first_lines(sample, encoding)
    except UnicodeError as error:  # as UTF-16 without its mark
        raise KamioiError(f"The file cannot be read as {encoding.upper()}: {error}.") from error
    given = {"\\t": "\t", "tab": "\t"}.get(options.delimiter or "", options.delimiter)
    if given is not None and len(given) != 1:
        raise KamioiError(f'The delimiter must be one character, or "tab", not "{given}".')
    tries = [_read_header(lines, encoding, sign, kind, options) for sign in ([given] if given else DELIMITERS)]
    found = [attempt for attempt in tries if attempt]
    if not found:
        raise KamioiError(f"{path} holds no text, or no line of at most {COLUMNS_LIMIT:,} columns.")
    _, layout = max(found, key=lambda attempt: attempt[0])
    return layout


def find_encoding(sample: bytes) -> str:
    """The encoding of a sample from the start of a file; UTF-8 wherever it can be."""
    for bom, name in BOMS:
        if sample.startswith(bom):
            return name
    for name, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if len(zeros) > 8 and zeros.count(0) > len(zeros) * 0.6:
            return name
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample)
    odd_bytes = len(SURROGATES.findall(text))
    if odd_bytes <= sum(character > "\x7f" for character in text) - odd_bytes:  # a few odd bytes are not an encoding
        return "utf-8"
    odd = b"\n".join(line for line in sample.splitlines() if not line.isascii())[:20_000]
    match = from_bytes(odd, cp_isolation=EIGHT_BIT + MANY_BYTE).best()
    # Where it reads the same in several, it is Western: of those, Windows-1252 holds all that Latin-1 does.
    same = {match.encoding, *match.could_be_from_charset} if match else {"cp1252"}
    return "cp1252" if WESTERN & same else sorted(same)[0]


def describe(layout: Layout) -> list[str]:
    """The layout in words."""
    names = {"utf-8-sig": "UTF-8 with a byte order mark", "cp1252": "Windows-1252 (Latin-1)"}
    preset = layout.preset
    columns_told = ", ".join(
        f"{' or '.join(_shown(layout.header[place]) for place in places)} -> {field}"
        for field, places in layout.columns.items()
    )
    return [
        f"Encoding: {names.get(layout.encoding, layout.encoding.upper())}.",
        f"Delimiter: {DELIMITERS.get(layout.delimiter, layout.delimiter)}.",
        f"Header: line {layout.header_line}, {len(layout.header)} columns.",
        f"Preset: {preset.name}, {preset.title}." + (f" {preset.note}" if preset.note else "")
        if preset
        else "Preset: none.",
        f"Columns: {columns_told}.",
    ]


def _shown(name: str) -> str:
    return " ".join(name.split())


def _check_encoding(encoding: str) -> None:
    try:
        known = b"a".decode(encoding, "ignore") is not None and "escape" not in encoding
        codecs.getincrementaldecoder(encoding)()
    except (LookupError, TypeError, ValueError):
        known = False
    if not known:
        raise KamioiError(f'There is no text encoding "{encoding}".')


def _read_header(
    lines: list[str], encoding: str, delimiter: str, kind: Kind, options: ImportOptions
) -> tuple[tuple[int, ...], Layout] | None:
    """The likeliest header with this delimiter, and how likely it is."""
    records = list(islice(_numbered(lines, delimiter), HEADER_RECORDS + 100))
    widths = Counter(len(row) for _, row in records if len(row) > 1)
    best: tuple[tuple[int, ...], Layout] | None = None
    for place, (line, row) in enumerate(records[:HEADER_RECORDS]):
        if len(row) > COLUMNS_LIMIT or not any(cell.strip() for cell in row):
            continue
        preset = columns.preset_for(kind, row)
        score = (_fit(kind, row, preset, options), widths[len(row)], len(row), -place)
        if best is None or score > best[0]:
            best = score, Layout(encoding, delimiter, tuple(row), line, preset, {})
    return best


def _fit(kind: Kind, row: Sequence[str], preset: Preset | None, options: ImportOptions) -> int:
    """How surely this is a header: 3 has the columns that were named, 2 a preset's, 1 all that is required."""
    if options.mapping:
        return 3 if columns.can_place(row, options.mapping) else 0
    if preset:
        return 2
    return 0 if kind.lacks(columns.by_alias(kind, row)) else 1


def _first_lines(sample: bytes, encoding: str) -> list[str]:
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    return io.StringIO(text, newline="").readlines()[:HEADER_LINES]


def _numbered(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    for block in read_records([Part(lines)], delimiter):
        if not block.problem:
            yield from zip(block.lines, block.rows, strict=True)


def _with_columns(layout: Layout, kind: Kind, options: ImportOptions) -> Layout:
    header = layout.header
    preset = columns.preset_for(kind, header, options.preset)
    found = columns.by_preset(preset, header) if preset else columns.by_alias(kind, header)
    named = columns.by_word(kind, header, options.mapping)
    if {"amount", "-amount", "debit", "credit"} & set(named):
        found = {field: places for field, places in found.items() if field not in ("amount", "debit", "credit")}
    taken = {place for places in named.values() for place in places}
    found = {field: places for field, places in found.items() if not taken & set(places)} | named
    lacking = kind.lacks(found)
    if lacking:
        raise columns.how_to_map(kind, header, lacking)
    return Layout(layout.encoding, layout.delimiter, header, layout.header_line, preset, found)
