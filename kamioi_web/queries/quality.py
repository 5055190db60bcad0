"""What the quality page shows over time: how proposals fared with the admins, what the model cost, the runs."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, literal_column, select

from kamioi_web.errors import NotFound
from kamioi_web.jobs.tables import jobs
from kamioi_web.mapping.tables import model_breakers, model_days
from kamioi_web.review import counts
from kamioi_web.sql_types import AnyRow

KIND = "quality"
j, d, b = jobs.c, model_days.c, model_breakers.c


class Fared(NamedTuple):
    """How many proposals were decided, and how many of them as they were proposed."""

    agreed: int = 0
    decided: int = 0

    def plus(self, action: str, n: int) -> "Fared":
        """With so many decisions more."""
        return Fared(self.agreed + (n if action == "approve" else 0), self.decided + n)


@dataclass
class Agreement:
    """The decisions of a stretch of days; `unproposed` are about merchants for which nothing was proposed."""

    whole: Fared = field(default_factory=Fared)
    sources: dict[str, Fared] = field(default_factory=lambda: defaultdict(Fared))
    bands: dict[int, Fared] = field(default_factory=lambda: defaultdict(Fared))
    unproposed: int = 0


class Cost(NamedTuple):
    """What a model did in a stretch of days: names asked, calls, those that failed, tokens, millionths of a cent."""

    names: int
    calls: int
    failures: int
    tokens: int
    micro_cents: int


def agreement(connection: Connection, until: date, days: int) -> Agreement:
    """How proposals fared in the last so many days, that one included. Index: the key of decision_counts."""
    found = Agreement()
    for source, tenth, action, n in counts.fared(connection, until - timedelta(days=days - 1), until):
        if tenth == counts.NO_PROPOSAL:
            found.unproposed += n
            continue
        found.whole = found.whole.plus(action, n)
        found.sources[source] = found.sources[source].plus(action, n)
        found.bands[tenth] = found.bands[tenth].plus(action, n)
    return found


def cost(connection: Connection, until: date, days: int) -> Cost:
    """What the models did in the last so many days, that one included. Index: the key of model_days."""
    since = until - timedelta(days=days - 1)
    tokens = d.tokens_in + d.tokens_out
    sums = [func.coalesce(func.sum(one), 0) for one in (d.names, d.calls, d.failures, tokens, d.micro_cents)]
    row = connection.execute(select(*sums).where(d.day.between(since.isoformat(), until.isoformat()))).one()
    return Cost(*map(int, row))


def left_alone(connection: Connection, model: str, now: datetime) -> AnyRow | None:
    """Until when a model is left alone, and the reason; None when it is asked."""
    query = select(b.open_until, b.reason).where(b.model == model, b.open_until > now)
    return connection.execute(query).first()


def newest_runs(connection: Connection, most: int) -> Sequence[AnyRow]:
    """The newest measurements on labelled files. Index: jobs_quality."""
    return connection.execute(select(jobs).where(_is_run()).order_by(j.id.desc()).limit(most)).fetchall()


def find_run(connection: Connection, id: int) -> AnyRow:
    """One measurement; NotFound when there is none of that number."""
    found = connection.execute(select(jobs).where(j.id == id, _is_run())).first() if id < 2**63 else None
    if found is None:
        raise NotFound(f"Job {str(id)[:40]} is no measurement of the quality.")
    return found


def _is_run() -> ColumnElement[bool]:
    """To the letter as the partial index says it."""
    return j.kind == literal_column(f"'{KIND}'")
