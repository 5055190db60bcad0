"""Records to items that can be stored: the loop that every row of every file goes through."""

from collections.abc import Callable
from hashlib import blake2b
from itertools import islice
from typing import Any

from kamioi_web.importing.columns import plain
from kamioi_web.importing.model import Reject
from kamioi_web.importing.records import Block
from kamioi_web.importing.rejects import Rejects
from kamioi_web.importing.tally import Tally

SEPARATOR = "\x1f"  # which str.isspace counts as a space, so that a row of blank cells is one

KEY_LIMIT = 1_200  # characters

Row = list[str]
Read = Callable[[Row, str], list[Any]]


class Cache(dict[str, Any]):
    """Texts and what they were read as: a plain look-up for those that come again, and bounded."""

    def __init__(self, read: Callable[[str], Any], limit: int = 50_000) -> None:
        super().__init__()
        self.read = read
        self.limit = limit

    def __missing__(self, text: str) -> Any:
        value = self.read(text)
        if len(text) <= KEY_LIMIT:
            if len(self) >= self.limit:
                self.clear()
            self[text] = value
        return value


def digest(text: str) -> str:
    """Sixteen hexadecimal digits of a text."""
    return blake2b(text.encode(), digest_size=8).hexdigest()


def start_of_chain(header: tuple[str, ...]) -> str:
    """Where the chain of a file with this header begins, whatever its columns are taken for."""
    return digest(SEPARATOR.join(" ".join(name.split()) for name in header))


def link(chain: str, text: str) -> str:
    """The next link of the chain. Line ends inside a cell do not matter to it."""
    return digest(chain + _line_ends_alike(text))


def _line_ends_alike(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class RowReader:
    """Reads the records of one file. `quick` reads a usual row or raises Reject; `read` has the last word."""

    def __init__(self, header: tuple[str, ...], quick: Callable[[Row, str], Any], read: Read) -> None:
        self.width = len(header)
        self.named = max((place for place, name in enumerate(header, 1) if name.strip()), default=0)
        self.header = [plain(name) for name in header]
        self.quick = quick
        self.read = read

    def take(self, block: Block, tally: Tally, items: list[Any], rejects: Rejects) -> None:
        """Add the items of these records; count and write down those that cannot be taken."""
        width, quick, append, chain = self.width, self.quick, items.append, tally.chain
        hashed = blake2b
        before, blank = len(items), 0
        for line, row in zip(block.lines, block.rows, strict=True):
            text = SEPARATOR.join(row)
            if not text or text.isspace():
                blank += 1
                continue
            if "\r" in text:
                text = _line_ends_alike(text)
            chain = hashed((chain + text).encode(), digest_size=8).hexdigest()
            if len(row) == width and not block.problem:
                try:
                    append(quick(row, chain))
                    continue
                except Reject:
                    pass
            self._odd(row, line, chain, block.problem, (tally, items, rejects))
        tally.chain = chain
        tally.blank += blank
        tally.records += len(block.rows) - blank
        tally.taken += len(items) - before

    def pass_over(self, block: Block, tally: Tally, until: int) -> int:
        """Follow the chain over these records up to record `until`; return how many of them that were."""
        for count, row in enumerate(block.rows, 1):
            text = SEPARATOR.join(row)
            if not text or text.isspace():
                tally.blank += 1
                continue
            tally.chain = link(tally.chain, text)
            tally.records += 1
            if tally.records == until:
                return count
        return len(block.rows)

    def _odd(
        self, row: Row, line: int, chain: str, problem: str | None, into: tuple[Tally, list[Any], Rejects]
    ) -> None:
        tally, items, rejects = into
        try:
            if problem:
                raise Reject(problem)
            items.extend(self.read(self._fitted(row), chain))
        except Reject as refusal:
            tally.reject(str(refusal))
            rejects.add(line, str(refusal), row)

    def _fitted(self, row: Row) -> Row:
        """The row at the width of the header, when what it lacks or has too much is blank."""
        if len(row) < self.width and len(row) < self.named:
            raise Reject(f"has {len(row)} fields, and the header has {self.width}")
        if any(cell.strip() for cell in row[self.width :]):
            raise Reject(f"has {len(row)} fields, and the header has {self.width}")
        fitted = (row + [""] * (self.width - len(row)))[: self.width]
        if [plain(cell) for cell in fitted] == self.header:
            raise Reject("the header again")
        return fitted


def after(block: Block, count: int) -> Block:
    """The block without its first `count` records."""
    lines = list(islice(block.lines, count, None))
    return Block(block.rows[count:], lines, block.problem, block.final)
