"""The titles of listed companies as names on a statement: trusted only where they cannot be anything else."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from kamioi_web.catalogue import words
from kamioi_web.mapping.aliases import TITLE, Alias
from kamioi_web.mapping.clean import as_alias
from kamioi_web.mapping.vocabulary import GENERIC, LEGAL_FORMS, words_of_places

Listed = tuple[str, str, bool]  # ticker, title, whether its exchange is known
SURE, DOUBTFUL = 0.91, 0.6
COMMON_IN = 4  # titles that share a word make it common
SHARES = re.compile(
    r"\b(?:class [a-z]\b|common (?:stock|shares?)|ordinary shares?|american depositary|depositary (?:shares?|units?)|"
    r"capital stock|each representing|\(?the\)?$|/[a-z]{2,3}/?$|\bnew$|units?\b.*|warrants?\b.*|preferred\b.*).*"
)
ENDS = LEGAL_FORMS | {"holdings", "holding", "group", "the", "intl", "international", "cos", "companies"}


def as_aliases(listed: Iterable[Listed]) -> Iterator[Alias]:
    """An alias for each title: sure where one of its words is rare and its exchange is known, else doubtful.

    Companies that share a name have none, unless all their tickers begin with one of them (a share and its warrant).
    """
    named: dict[str, list[Listed]] = {}
    for one in listed:
        named.setdefault(name_of(one[1]), []).append(one)
    shared = Counter(word for name in named for word in set(name.split()))
    for name, owners in named.items():
        ticker, title, on_exchange = min(owners, key=lambda one: len(one[0]))
        if len(name) > 3 and all(one[0].startswith(ticker) for one in owners):
            sure = on_exchange and _is_rare(name.split(), shared)
            yield Alias(name, ticker, title, TITLE, SURE if sure else DOUBTFUL)


def name_of(title: str) -> str:
    """A title without the kind of share and the legal form: "Agilent Technologies, Inc. Common Stock" is agilent
    technologies."""
    name = as_alias(SHARES.sub("", title.lower()))
    parts = name.split()
    while len(parts) > 1 and parts[-1] in ENDS:
        parts.pop()
    return " ".join(parts)


def _is_rare(parts: list[str], shared: Counter[str]) -> bool:
    """Whether nobody else is likely to trade under this name; of a name of one word that cannot be told."""
    return len(parts) > 1 and any(len(part) > 3 and shared[part] < COMMON_IN and not _is_common(part) for part in parts)


def _is_common(word: str) -> bool:
    return word in GENERIC or word in words_of_places() or word in _own_words()


@cache
def _own_words() -> frozenset[str]:
    return frozenset(word.lower() for words_of_list in words().values() for word in words_of_list)
