"""Card transactions that look like life, made from the catalogue: the same plan gives the same rows everywhere."""

from kamioi_web.generate.directory import Sightings, merchants
from kamioi_web.generate.mappings import mappings
from kamioi_web.generate.people import users
from kamioi_web.generate.plan import Plan, plan
from kamioi_web.generate.purchases import transactions

__all__ = ["Plan", "Sightings", "mappings", "merchants", "plan", "transactions", "users"]
