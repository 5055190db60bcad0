"""Words of merchants' names that are a mistake away from a typed one, at the same cost however many there are."""

from rapidfuzz.distance import OSA
from sqlalchemy import Connection, select

from kamioi_web.queries import merchants
from kamioi_web.schema import search_typos, search_words
from kamioi_web.search.words import LONGEST, WORD, folded, forms_of, words_of

MOST_FORMS = 2_000  # rows of search_typos that one word may read; a form is shared by a few hundred words at most
FORGIVING = 8  # letters of a word from which two mistakes are forgiven
MOST_WORDS = 6  # words of a text that are looked at
LIKELIER = 10
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


def corrections(connection: Connection, text: str, hits: int, most: int) -> list[tuple[str, int | None]]:
    """Texts with a likelier word in place of a misspelt one, and the merchants that hold them; None is more than 50.

    `hits` are the merchants that hold the text itself; a word must have ten times as many to be likelier. Of several
    words those are corrected that nobody has.
    """
    written, words = folded(text), words_of(text)
    if len(words) == 1:
        likelier = [(other, n) for other, n in near(connection, words[0], most) if n > LIKELIER * hits]
        return [(_put(written, {words[0]: other}), n) for other, n in likelier]
    known = _known(connection, words[:MOST_WORDS])
    others = {word: near(connection, word, 1) for word in words[:MOST_WORDS] if word not in known}
    instead = {word: found[0][0] for word, found in others.items() if found}
    ids = merchants.matching(connection, _put(written, instead)) if instead and not hits else ()
    return [] if ids == () else [(_put(written, instead), None if ids is None else len(ids))]


def _known(connection: Connection, words: list[str]) -> set[str]:
    return set(connection.scalars(select(search_words.c.word).where(search_words.c.word.in_(words))))


def _put(text: str, instead: dict[str, str]) -> str:
    return WORD.sub(lambda found: instead.get(found[0], found[0]), text)
