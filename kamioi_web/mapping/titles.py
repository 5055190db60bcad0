"""The titles of listed companies as names on a statement: trusted only where they cannot be anything else."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from kamioi_web.catalogue import words
from kamioi_web.mapping.aliases import TITLE, Alias
from kamioi_web.mapping.clean import as_alias
from kamioi_web.mapping.vocabulary import GENERIC, LEGAL_FORMS, words_of_places

SURE, DOUBTFUL = 0.91, 0.6
COMMON_IN = 4  # titles that share a word make it common
SHORTEST_RARE = 7  # letters of a single word that may be trusted
SHARES = re.compile(
    r"\b(?:class [a-z]\b|common (?:stock|shares?)|ordinary shares?|american depositary|depositary (?:shares?|units?)|"
    r"capital stock|each representing|\(?the\)?$|/[a-z]{2,3}/?$|\bnew$|units?\b.*|warrants?\b.*|preferred\b.*).*"
)
ENDS = LEGAL_FORMS | {
    "holdings", "holding", "group", "the", "trust", "bancorp", "intl", "international", "cos", "companies",
}  # fmt: skip


def as_aliases(listed: Iterable[tuple[str, str]]) -> Iterator[Alias]:
    """An alias for each (ticker, title): sure where a word is rare, doubtful where all are common.

    Two companies with one name have none.
    """
    named = [(ticker, title, name_of(title)) for ticker, title in listed]
    shared = Counter(word for _, _, name in named for word in set(name.split()))
    companies = Counter(name for _, _, name in named)
    for ticker, title, name in named:
        if len(name) > 3 and companies[name] == 1:
            yield Alias(name, ticker, title, TITLE, SURE if _is_rare(name.split(), shared) else DOUBTFUL)


def name_of(title: str) -> str:
    """A title without the kind of share and the legal form: "Agilent Technologies, Inc. Common Stock" is agilent
    technologies."""
    name = as_alias(SHARES.sub("", title.lower()))
    parts = name.split()
    while len(parts) > 1 and parts[-1] in ENDS:
        parts.pop()
    return " ".join(parts)


def _is_rare(parts: list[str], shared: Counter[str]) -> bool:
    rare = [part for part in parts if len(part) > 3 and shared[part] < COMMON_IN and not _is_common(part)]
    return bool(rare) and (len(parts) > 1 or len(parts[0]) >= SHORTEST_RARE)


def _is_common(word: str) -> bool:
    return word in GENERIC or word in words_of_places() or word in _own_words()


def _own_words() -> frozenset[str]:
    return frozenset(word.lower() for words_of_list in words().values() for word in words_of_list)
