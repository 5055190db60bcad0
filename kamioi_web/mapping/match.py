"""Match: which alias stands in a cleaned name, on word boundaries, the longest first. Look-ups only, no guessing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz, process

from kamioi_web.mapping.aliases import AGENT, BRAND, START, TITLE, WHOLE, Alias
from kamioi_web.mapping.proposals import Candidate
from kamioi_web.mapping.vocabulary import GENERIC, STATES

EXACT = {BRAND: 0.99, START: 0.98, WHOLE: 0.96}
AT_START = {BRAND: 0.97, START: 0.95, WHOLE: 0.93}
INSIDE = 0.93
STUMP = 0.92
JOINED = 0.92
CONFLICT = 0.75  # two names in one: to the review
STUMP_LETTERS = 4
JOINED_LETTERS = 7
STANDING = 0.4  # an alternative whose words stand in the name, where that alone does not count
LIKE_AT_LEAST = 70  # of 100, the likeness in letters of an alternative
LIKE_AT_MOST = 0.6  # the confidence of one that is letter for letter the same


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
        self.lengths: dict[str, list[int]] = {}  # by first word: of how many words aliases are, the longest first
        self.heads: dict[str, list[Alias]] = {}
        self.joined: dict[str, Alias] = {}
        self.by_letter: dict[str, list[str]] = {}  # a name that is misspelt mostly begins as it should
        for alias in self.table.values():
            self._index(alias)

    def _index(self, alias: Alias) -> None:
        first, *rest = alias.alias.split()
        self.by_letter.setdefault(first[0], []).append(alias.alias)
        lengths = self.lengths.setdefault(first, [])
        if len(rest) + 1 not in lengths:
            lengths.append(len(rest) + 1)
            lengths.sort(reverse=True)
        if not rest or alias.kind in (AGENT, TITLE):
            return
        self.heads.setdefault(alias.alias.rpartition(" ")[0], []).append(alias)
        if len(alias.alias) > JOINED_LETTERS:
            self.joined.setdefault(alias.alias.replace(" ", ""), alias)

    def find(self, name: str) -> Found | None:
        """The alias that the name is, or that it holds; None when there is none that may be accepted."""
        exact = self.table.get(name)
        if exact and exact.kind in EXACT:
            return Found(exact, 0, 0, EXACT[exact.kind], "is the alias")
        words = self._after_agent(name.split())
        found = _best(self._hits(words) or self._glued(words))
        if exact and exact.kind == TITLE and (found is None or found.alias.ticker != exact.ticker):
            return Found(exact, 0, 0, exact.confidence, "is the title")
        return found

    def find_cut(self, name: str) -> Found | None:
        """The alias of several words whose last word is cut where the name ends; None where two companies fit."""
        words = self._after_agent(name.split())
        stump = words[-1] if words else ""
        if len(stump) < STUMP_LETTERS:
            return None
        for at in range(len(words) - 1):
            head = " ".join(words[at:-1])
            whole = [one for one in self.heads.get(head, ()) if one.alias.startswith(stump, len(head) + 1)]
            sure = len(head) > 1 and len({one.ticker for one in whole}) == 1
            if sure and (whole[0].kind == BRAND or at == 0):
                return Found(whole[0], at, len(words) - at, STUMP, "was cut off and begins the alias")
        return None

    def is_agent(self, name: str) -> bool:
        """Whether this is a payment agent and nothing else."""
        alias = self.table.get(name)
        return alias is not None and alias.kind == AGENT

    def alternatives(self, name: str, most: int = 3) -> tuple[Candidate, ...]:
        """What else a name may be, the likeliest first, at most `most`, one of a company. None of it is accepted."""
        found: dict[tuple[str | None, str | None], Candidate] = {}
        near = sorted([*self._standing(name), *self._like(name)], key=lambda one: -one.confidence)
        for candidate in near:
            found.setdefault((candidate.ticker, candidate.ticker or candidate.company), candidate)
        return tuple(found.values())[:most]

    def _standing(self, name: str) -> Iterator[Candidate]:
        """Aliases that stand in the name as words, of whatever kind."""
        words = name.split()
        for at, word in enumerate(words):
            for length in self.lengths.get(word, ()):
                alias = self.table.get(" ".join(words[at : at + length])) if at + length <= len(words) else None
                if alias and alias.kind != AGENT:
                    yield Candidate(alias.ticker, alias.company, STANDING, f'"{alias.alias}" stands in the name')

    def _like(self, name: str) -> Iterator[Candidate]:
        """Aliases that are spelt nearly as the name or its first words."""
        words = name.split()
        for text in {" ".join(words[:length]) for length in (1, 2, 3, len(words))}:
            begun_so = self.by_letter.get(text[:1], ())
            for known, score, _ in process.extract(text, begun_so, scorer=fuzz.ratio, score_cutoff=LIKE_AT_LEAST):
                alias = self.table[known]
                if alias.kind != AGENT and len(known) > 3 and (score < 100 or text == name):
                    sure = round((score / 100) ** 2 * LIKE_AT_MOST, 2)
                    yield Candidate(alias.ticker, alias.company, sure, f'looks like "{known}" ({score:.0f} of 100)')

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
            for length in self.lengths.get(word, ()):
                alias = self.table.get(" ".join(words[at : at + length])) if at + length <= len(words) else None
                hit = _accept(alias, words, at, length, start) if alias else None
                if hit:
                    hits.append(hit)
                    break
        return hits

    def _glued(self, words: Sequence[str]) -> list[Found]:
        """An alias at the start whose words were written as one, or whose one word was written as two."""
        one, two = words[0] if words else "", "".join(words[:2])
        alias, length = self.joined.get(one) if len(one) >= JOINED_LETTERS else None, 1
        if alias is None and len(two) >= JOINED_LETTERS and len(words) > 1 and one != "the":
            alias, length = self.table.get(two), 2
        if alias is None or alias.kind not in (BRAND, START):
            return []
        return [Found(alias, 0, length, JOINED, "holds, spaced otherwise, the alias")]


def _accept(alias: Alias, words: Sequence[str], at: int, length: int, start: int) -> Found | None:
    """The alias where it stands, if its kind allows that."""
    first = at <= start
    if alias.kind == BRAND:
        return Found(alias, at, length, AT_START[BRAND] if first else INSIDE, "holds the alias")
    if not first or alias.kind not in EXACT:
        return None
    if alias.kind == START:
        return Found(alias, at, length, AT_START[START], "begins with the alias")
    if all(_says_nothing(word) or word in words[at : at + length] for word in words[at + length :]):
        return Found(alias, at, length, AT_START[WHOLE], "is, with general words, the alias")
    return None


def _says_nothing(word: str) -> bool:
    return word in GENERIC or word in STATES or word.isdigit()


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
