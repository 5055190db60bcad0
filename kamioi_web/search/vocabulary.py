"""The vocabulary that misspelt words are held against: every word of merchants' names, kept as merchants come in."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, delete, select

from kamioi_web.db import Database
from kamioi_web.dialects import dialect_of
from kamioi_web.schema import merchants, search_typos, search_words
from kamioi_web.search.words import forms_of, words_of

ASKED = 500  # words that one statement asks for
BATCH = 50_000


def add_names(connection: Connection, names: Iterable[str]) -> None:
    """Count the words of merchants that are new: one name for each, in the transaction that adds them."""
    counts = Counter(word for name in names for word in words_of(name))
    if not counts:
        return
    words = sorted(counts)  # one order for all who write, so that they wait for one another and never in a circle
    known = _known(connection, words)
    dialect_of(connection).add_sums(connection, search_words, [(word, counts[word]) for word in words])
    _add_forms(connection, [word for word in words if word not in known])


def rebuild(connection: Connection) -> int:
    """Count every word anew and return how many there are; other writers of merchants wait meanwhile."""
    dialect_of(connection).stop_writes(connection, "merchants")
    for table in (search_words, search_typos):
        connection.execute(delete(table))
    counts = Counter(word for name in _names(connection) for word in words_of(name))
    for some in _slices(sorted(counts), BATCH):
        rows = [(word, counts[word]) for word in some]
        dialect_of(connection).bulk_insert(connection, search_words, ("word", "n"), rows)
        _add_forms(connection, some)
    return len(counts)


def add_missing(database: Database) -> int:
    """Rebuild where there are merchants and no words yet, as before the vocabulary was kept; the words added."""
    with database.writing() as connection:
        return rebuild(connection) if is_missing(connection) else 0


def is_missing(connection: Connection) -> bool:
    """Whether there are merchants and no words."""
    there = connection.scalar(select(search_words.c.word).limit(1)) is not None
    return not there and connection.scalar(select(merchants.c.id).limit(1)) is not None


def _known(connection: Connection, words: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in _slices(words, ASKED):
        found.update(connection.scalars(select(search_words.c.word).where(search_words.c.word.in_(some))))
    return found


def _add_forms(connection: Connection, words: Iterable[str]) -> None:
    rows = sorted((form, word) for word in words for form in forms_of(word))
    if rows:
        dialect_of(connection).bulk_insert(connection, search_typos, ("form", "word"), rows)


def _slices(words: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (words[start : start + size] for start in range(0, len(words), size))


def _names(connection: Connection) -> Iterator[str]:
    """The names of all merchants, a batch of ids at a time."""
    last = 0
    query = select(merchants.c.id, merchants.c.name).order_by(merchants.c.id).limit(BATCH)
    while rows := connection.execute(query.where(merchants.c.id > last)).fetchall():
        yield from (row.name for row in rows)
        last = rows[-1].id
