"""Short names for SQLAlchemy's types of statements and rows whose columns are not listed one by one."""

from typing import Any

from sqlalchemy import Row, Select

AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]
