"""What the tests of the review share: merchants with proposals, and carrying out the jobs of mappings."""

import threading
from typing import Any

from sqlalchemy import select

from kamioi_web.db import Database
from kamioi_web.jobs.working import work
from kamioi_web.mapping.clean import clean
from kamioi_web.mapping.proposals import Candidate, Proposal
from kamioi_web.mapping.storing import Made, add
from kamioi_web.review import weights
from kamioi_web.schema import admins, llm_mappings, merchants, transactions

AMAZON = Candidate("AMZN", "Amazon", 0.4, "Reads alike.")


def proposal(descriptor: str, ticker: str | None, company: str | None, confidence: float = 0.7) -> Proposal:
    """A proposal of the rules that is not sure."""
    return Proposal(descriptor, clean(descriptor), ticker, company, None, confidence, "guess", "It reads like that.")


def propose(database: Database, merchant_id: int, ticker: str | None, company: str | None, **more: Any) -> int:
    """A proposal that waits; its id."""
    with database.writing() as connection:
        row = connection.execute(select(merchants).where(merchants.c.id == merchant_id)).one()
        add(connection, [Made(row.id, proposal(row.descriptor, ticker, company, **more), (AMAZON,), "pending")])
        found = select(llm_mappings.c.id).where(llm_mappings.c.merchant_id == merchant_id)
        return connection.scalars(found.order_by(llm_mappings.c.id.desc())).first() or 0


def weigh_all(database: Database) -> None:
    """After rows were made without an import."""
    with database.writing() as connection:
        weights.weigh_all(connection)


def mapping(database: Database, id: int) -> Any:
    """A mapping as it stands."""
    with database.reading() as connection:
        return connection.execute(select(llm_mappings).where(llm_mappings.c.id == id)).one()


def merchant(database: Database, id: int) -> Any:
    """A merchant as it stands."""
    with database.reading() as connection:
        return connection.execute(select(merchants).where(merchants.c.id == id)).one()


def rows_of(database: Database, merchant_id: int) -> list[Any]:
    """The transactions of a merchant, by id."""
    with database.reading(30) as connection:
        query = select(transactions).where(transactions.c.merchant_id == merchant_id)
        return list(connection.execute(query.order_by(transactions.c.id)))


def admin_ids(database: Database) -> dict[str, int]:
    """{e-mail: id} of every admin."""
    with database.reading() as connection:
        return {row.email: row.id for row in connection.execute(select(admins.c.email, admins.c.id))}


def carry_out(database: Database) -> int:
    """Do everything about mappings that is due."""
    return work(database, "mapping", "the test", threading.Event())
