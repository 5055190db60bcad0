"""Lines as CSV records with their line numbers. A quote that is never closed costs its own line, not the file."""

import csv
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from kamioi_web.importing.reading import LINE_LIMIT, Part

RECORD_LINES = 100
RECORD_CHARACTERS = 1 << 18
END = "\0the end of the block\n"  # an unclosed quote swallows it, which shows
OPEN_QUOTE = "a quote is opened in this line and not closed where it should be"
TOO_LONG = f"the line is longer than {LINE_LIMIT:,} characters; only its start is kept here"
FIELD_TOO_LONG = f"a field is longer than {csv.field_size_limit():,} characters, or its quote is never closed"
CUT_OFF = "the file ends inside this line"


@dataclass(frozen=True)
class Block:
    """Records and the lines where they begin. With a `problem`, every one of them is to be rejected.

    `final`: the file ended inside these, so a longer version of it may hold them whole.
    """

    rows: list[list[str]]
    lines: Iterable[int]
    problem: str | None = None
    final: bool = False


def read_records(parts: Iterable[Part], delimiter: str, width: int | None = None) -> Iterator[Block]:
    """The records of these lines, the first being line 1. A record of many lines must be `width` fields wide."""
    waiting: list[str] = []  # the lines of a record that is not complete yet
    line = 1
    for part in parts:
        if part.too_long or part.damaged:
            yield from _by_record(waiting, line, delimiter, width, ended=True, final=part.final)
            line += len(waiting) + 1
            waiting = []
            yield Block([part.lines], [line - 1], TOO_LONG if part.too_long else CUT_OFF, final=part.final)
            continue
        lines = waiting + part.lines if waiting else part.lines
        rows = None if part.final else _one_line_each(lines, delimiter)
        if rows is not None:
            yield Block(rows, range(line, line + len(rows)))
            waiting = []
        else:
            waiting = yield from _by_record(lines, line, delimiter, width, ended=part.final, final=part.final)
        line += len(lines) - len(waiting)
    yield from _by_record(waiting, line, delimiter, width, ended=True, final=True)


def _one_line_each(lines: list[str], delimiter: str) -> list[list[str]] | None:
    """The records when each is one line, which is nearly always; else None."""
    try:
        rows = list(csv.reader(chain(lines, (END,)), delimiter=delimiter))
    except csv.Error:
        return None
    if len(rows) != len(lines) + 1 or len(rows[-1]) != 1:
        return None
    rows.pop()
    return rows


def _by_record(
    lines: list[str], line: int, delimiter: str, width: int | None, ended: bool, final: bool
) -> Generator[Block, None, list[str]]:
    """Yield the records one by one and return the lines of one that needs more of them, unless none will come."""
    rows: list[list[str]] = []
    numbers: list[int] = []
    at = 0
    while at < len(lines):
        used, row, problem = _record_at(lines, at, delimiter, width, ended)
        if used == 0:
            break
        if problem:
            yield Block(rows, numbers, final=final)
            yield Block([row], [line + at], problem, final=final)
            rows, numbers = [], []
        else:
            rows.append(row)
            numbers.append(line + at)
        at += used
    if rows:
        yield Block(rows, numbers, final=final)
    return lines[at:]


def _record_at(
    lines: list[str], at: int, delimiter: str, width: int | None, ended: bool
) -> tuple[int, list[str], str | None]:
    """(lines used, fields, problem); no lines used means that the record needs more than there are yet."""
    window = lines[at : at + RECORD_LINES] if '"' in lines[at] else lines[at : at + 1]
    reader = csv.reader(chain(window, (END,)), delimiter=delimiter)
    try:
        row = next(reader)
    except csv.Error:
        return 1, [lines[at].rstrip("\r\n")], FIELD_TOO_LONG
    used = reader.line_num
    if used <= len(window):
        if used == 1 or width is None or len(row) == width:
            return used, row, None
    elif not ended and len(window) < RECORD_LINES and sum(map(len, window)) < RECORD_CHARACTERS:
        return 0, [], None
    return 1, [lines[at].rstrip("\r\n")], OPEN_QUOTE
