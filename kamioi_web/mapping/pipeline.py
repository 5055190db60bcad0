"""The steps that need no model, one after the other: clean, known, match. Each leaves its words in the proposal."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from sqlalchemy import Connection, select

from kamioi_web import catalogue, schema
from kamioi_web.mapping import aliases, titles
from kamioi_web.mapping.aliases import WHOLE, Alias
from kamioi_web.mapping.clean import as_alias, clean
from kamioi_web.mapping.match import Found, Matcher
from kamioi_web.mapping.proposals import Candidate, Proposal
from kamioi_web.mapping.titles import Listed
from kamioi_web.schema import UNKNOWN_EXCHANGE

GUESS = 0.7  # below it a proposal is no answer
SHORTEST_CUT = 18  # characters; files cut names at 18, 19, 22 or 25
BEFORE_TOWN = (22, 25)  # where a name is cut that a town follows


class Pipeline:
    """Proposes a company for a descriptor. `instruments` are the tickers that may be proposed at all."""

    def __init__(self, known: Iterable[Alias], listed: Iterable[Listed]) -> None:
        """Over these aliases and (ticker, company, whether the exchange is known)."""
        companies = list(listed)
        self.instruments = frozenset(ticker for ticker, _, on_exchange in companies if on_exchange)
        names = [*titles.as_aliases(companies), *known]
        tickers = {ticker for ticker, _, _ in companies}
        self.matcher = Matcher(alias for alias in names if not alias.ticker or alias.ticker in tickers)

    @classmethod
    def built_in(cls) -> "Pipeline":
        """The pipeline over the project's own catalogue; no database is needed."""
        return cls(aliases.built_in(), _own_companies().values())

    @classmethod
    def of(cls, connection: Connection) -> "Pipeline":
        """The pipeline over the catalogue and what the tables `instruments` and `aliases` add to it."""
        i, a = schema.instruments.c, schema.aliases.c
        rows = connection.execute(select(i.ticker, i.company, i.exchange))
        listed = {ticker: (ticker, company, exchange != UNKNOWN_EXCHANGE) for ticker, company, exchange in rows}
        listed |= _own_companies()
        added = [
            Alias(as_alias(alias), ticker, listed[ticker][1] if ticker in listed else None, WHOLE)
            for alias, ticker in connection.execute(select(a.alias, a.ticker))
        ]
        return cls([*aliases.built_in(), *added], listed.values())

    def propose(self, descriptor: str) -> Proposal:
        """What the descriptor is taken for. Without alternatives: those cost more, see `alternatives`."""
        cleaned = clean(descriptor)
        name = cleaned.name
        found = self.matcher.find(name) if name else None
        if found is None and _may_be_cut(descriptor, name):
            found = self.matcher.find_cut(name)
        if found is None:
            return Proposal(descriptor, cleaned, None, None, None, 0.0, "nothing", self._why_not(name))
        alias = found.alias
        category = _categories().get(alias.alias) or _categories_of_tickers().get(alias.ticker or "")
        step = "guess" if found.confidence < GUESS else "known" if found.length == 0 else "match"
        return Proposal(
            descriptor, cleaned, alias.ticker, alias.company, category, found.confidence, step, _reason(found)
        )

    def propose_many(self, descriptors: Iterable[str]) -> Iterator[Proposal]:
        """One proposal for each descriptor, in their order, made as they are asked for."""
        return map(self.propose, descriptors)

    def alternatives(self, proposal: Proposal) -> tuple[Candidate, ...]:
        """Up to three companies that it might be instead; none of them is ever accepted without a person."""
        like = self.matcher.alternatives(proposal.cleaned.name, most=4)
        return tuple(one for one in like if one.ticker != proposal.ticker or proposal.step == "nothing")[:3]

    def _why_not(self, name: str) -> str:
        if not name:
            return "the descriptor holds no letter and no digit"
        if self.matcher.is_agent(name):
            return f'"{name}" takes payments for others; the merchant is not named'
        return f'no name of the catalogue stands in "{name}"'


def _may_be_cut(descriptor: str, name: str) -> bool:
    """Whether the last word of the name stands where such lines are cut off."""
    text, last = descriptor.rstrip(), name.rpartition(" ")[2]
    end = text.lower().rfind(last) + len(last)
    return end in BEFORE_TOWN or SHORTEST_CUT <= end == len(text)


def _reason(found: Found) -> str:
    alias = found.alias
    if alias.ticker:
        owner = f"of {alias.company or alias.ticker} ({alias.ticker})"
    else:
        owner = f"of {alias.company}, which is not listed in the US" if alias.company else "of nobody listed in the US"
    return f'the name {found.why} "{alias.alias}" {owner}'


def _own_companies() -> dict[str, Listed]:
    return {one.ticker: (one.ticker, one.company, True) for one in catalogue.instruments()}


@cache
def _categories() -> dict[str, str]:
    return {as_alias(brand.brand): brand.category for brand in catalogue.brands()}


@cache
def _categories_of_tickers() -> dict[str, str]:
    """The category of each ticker whose brands all have one."""
    found: dict[str, set[str]] = defaultdict(set)
    for brand in catalogue.brands():
        found[brand.ticker or ""].add(brand.category)
    return {ticker: next(iter(of)) for ticker, of in found.items() if ticker and len(of) == 1}
