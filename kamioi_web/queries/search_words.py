"""Words of merchants' names that are a mistake away from a typed one, at the same cost however many there are."""

from rapidfuzz.distance import OSA
from sqlalchemy import Connection, select

from kamioi_web.schema import search_typos, search_words
from kamioi_web.search.words import LONGEST, forms_of

MOST_FORMS = 2_000  # rows of search_typos that one word may read; a form is shared by a few hundred words at most
FORGIVING = 8  # letters of a word from which two mistakes are forgiven
CLOSER = 10  # a word one mistake away comes before one two away that is up to so many times as frequent


def near(connection: Connection, word: str, most: int) -> list[tuple[str, int]]:
    """Known words a mistake away and the merchants that hold each, the most frequent first; `word` casefolded.

    A mistake is a letter too many, too few, wrong, or two changed over; from 8 letters on, two of them may be found.
    """
    if len(word) > LONGEST + 1:  # further from every known word than a mistake
        return []
    mistakes = 2 if len(word) >= FORGIVING else 1
    meeting = select(search_typos.c.word).where(search_typos.c.form.in_(sorted(forms_of(word)))).limit(MOST_FORMS)
    query = select(search_words.c.word, search_words.c.n).where(search_words.c.word.in_(meeting))
    ranked = []
    for other, n in connection.execute(query):
        distance = OSA.distance(word, other, score_cutoff=mistakes)
        if 0 < distance <= mistakes:
            ranked.append((-n / CLOSER**distance, other, n))
    return [(other, n) for _, other, n in sorted(ranked)[:most]]


def counts(connection: Connection, words: list[str]) -> dict[str, int]:
    """{word: merchants that hold it} of those words that are known."""
    query = select(search_words.c.word, search_words.c.n).where(search_words.c.word.in_(words))
    return {row.word: row.n for row in connection.execute(query)}
