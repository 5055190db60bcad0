"""Match: which alias stands in a cleaned name, on word boundaries, the longest first. Look-ups only, no guessing."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz, process

from kamioi_web.mapping.aliases import AGENT, BRAND, START, TITLE, WHOLE, Alias
from kamioi_web.mapping.proposals import Candidate
from kamioi_web.mapping.vocabulary import GENERIC

EXACT = {BRAND: 0.99, START: 0.98, WHOLE: 0.96}
AT_START = {BRAND: 0.97, START: 0.95, WHOLE: 0.93}
INSIDE = 0.93
STUMP = 0.92
JOINED = 0.92
CONFLICT = 0.75  # two names in one: to the review
STUMP_LETTERS = 4
JOINED_LETTERS = 7
LIKE_AT_LEAST = 72  # of 100, for what a person is shown as an alternative
LIKE_AT_MOST = 0.6  # the confidence of an alternative that is letter for letter the same


class Found(NamedTuple):
    """An alias in a name: where it begins, how many words it takes, how surely it is meant, and why, in words."""

    alias: Alias
    at: int
    length: int
    confidence: float
    why: str


class Matcher:
    """Finds aliases in cleaned names; of two aliases with one text the later counts."""

    def __init__(self, aliases: Iterable[Alias]) -> None:
        self.table = {alias.alias: alias for alias in aliases if alias.alias}
        self.longest: dict[str, int] = {}
        self.heads: dict[str, list[Alias]] = {}
        self.joined: dict[str, Alias] = {}
        for alias in self.table.values():
            self._index(alias)

    def _index(self, alias: Alias) -> None:
        first, *rest = alias.alias.split()
        self.longest[first] = max(self.longest.get(first, 0), len(rest) + 1)
        if not rest or alias.kind in (AGENT, TITLE):
            return
        self.heads.setdefault(alias.alias.rpartition(" ")[0], []).append(alias)
        if len(alias.alias) > JOINED_LETTERS:
            self.joined.setdefault(alias.alias.replace(" ", ""), alias)

    def find(self, name: str, cut: bool = False) -> Found | None:
        """The alias that the name is, or that it holds; None when there is none that may be accepted.

        `cut`: the last word may be a stump.
        """
        exact = self.table.get(name)
        if exact and exact.kind in EXACT:
            return Found(exact, 0, 0, EXACT[exact.kind], "is the alias")
        words = self._after_agent(name.split())
        found = _best(self._hits(words) or (self._stumps(words) if cut else []) or self._glued(words))
        if exact and exact.kind == TITLE and (found is None or found.alias.ticker != exact.ticker):
            return Found(exact, 0, 0, exact.confidence, "is the title")
        return found

    def is_agent(self, name: str) -> bool:
        """Whether this is a payment agent and nothing else."""
        alias = self.table.get(name)
        return alias is not None and alias.kind == AGENT

    def alternatives(self, name: str, most: int = 3) -> tuple[Candidate, ...]:
        """What else a name may be: aliases that look like it, at most `most`, one of a company. Never accepted."""
        like = process.extract(name, self.table.keys(), scorer=fuzz.WRatio, score_cutoff=LIKE_AT_LEAST, limit=20)
        found: dict[str | None, Candidate] = {}
        for text, score, _ in like:
            alias = self.table[text]
            if alias.kind != AGENT:
                reason = f'looks like "{text}" ({score:.0f} of 100)'
                confidence = round(score / 100 * LIKE_AT_MOST, 2)
                found.setdefault(alias.ticker, Candidate(alias.ticker, alias.company, confidence, reason))
        return tuple(found.values())[:most]

    def _after_agent(self, words: list[str]) -> list[str]:
        for length in (2, 1):
            alias = self.table.get(" ".join(words[:length])) if len(words) > length else None
            if alias and alias.kind == AGENT:
                return words[length:]
        return words

    def _hits(self, words: Sequence[str]) -> list[Found]:
        """Every alias that may be accepted where it stands; at each place the longest."""
        hits = []
        start = int(words[0] == "the") if words else 0
        for at, word in enumerate(words):
            for length in range(min(self.longest.get(word, 0), len(words) - at), 0, -1):
                alias = self.table.get(" ".join(words[at : at + length]))
                hit = alias and _accept(alias, words, at, length, start)
                if hit:
                    hits.append(hit)
                    break
        return hits

    def _stumps(self, words: Sequence[str]) -> list[Found]:
        """Aliases of several words whose last one is cut where the name ends."""
        stump = words[-1] if words else ""
        if len(stump) < STUMP_LETTERS:
            return []
        for at in range(len(words) - 1):
            head = " ".join(words[at:-1])
            whole = [one for one in self.heads.get(head, ()) if one.alias.startswith(stump, len(head) + 1)]
            sure = len(head) > 1 and len({one.ticker for one in whole}) == 1
            if sure and (whole[0].kind == BRAND or at == 0):
                return [Found(whole[0], at, len(words) - at, STUMP, "was cut off and begins the alias")]
        return []

    def _glued(self, words: Sequence[str]) -> list[Found]:
        """An alias at the start whose words were written as one, or whose one word was written as two."""
        one, two = words[0] if words else "", "".join(words[:2])
        alias, length = self.joined.get(one) if len(one) >= JOINED_LETTERS else None, 1
        if alias is None and len(two) >= JOINED_LETTERS and len(words) > 1:
            alias, length = self.table.get(two), 2
        if alias is None or alias.kind not in (BRAND, START):
            return []
        return [Found(alias, 0, length, JOINED, "holds, spaced otherwise, the alias")]


def _accept(alias: Alias, words: Sequence[str], at: int, length: int, start: int) -> Found | None:
    """The alias where it stands, if its kind allows that."""
    first = at <= start
    rest = [word for word in words[at + length :] if not _says_nothing(word)]
    if first and not rest and alias.kind in EXACT:
        confidence = EXACT[alias.kind] if len(words) == length + at else AT_START[alias.kind]
        return Found(alias, at, length, confidence, "is, with general words, the alias")
    if alias.kind == BRAND:
        return Found(alias, at, length, AT_START[BRAND] if first else INSIDE, "holds the alias")
    if alias.kind == START and first:
        return Found(alias, at, length, AT_START[START], "begins with the alias")
    return None


def _says_nothing(word: str) -> bool:
    return word in GENERIC or word.isdigit()


def _best(hits: list[Found]) -> Found | None:
    """The first of the longest; surely only when no other hit beside it says something else."""
    best = hits[0] if hits else None
    for hit in hits[1:]:
        inside = best and hit.at < best.at + best.length
        if best is None or (inside and hit.length > best.length):
            best = hit
        elif not inside and hit.alias.ticker != best.alias.ticker:
            both = f'holds the alias "{hit.alias.alias}" as well as the alias'
            return best._replace(confidence=CONFLICT, why=both)
    return best
