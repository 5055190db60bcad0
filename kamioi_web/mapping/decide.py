"""Decide: which proposals stand without a person."""

from collections.abc import Container
from math import isfinite

from kamioi_web.mapping.proposals import Proposal

ANSWERS = ("known", "match", "model")  # the steps whose answer may stand; a guess never does


def decide(proposal: Proposal, threshold: float, instruments: Container[str]) -> str:
    """'approved' at or above the threshold for a ticker of the catalogue or a certain none; else 'pending'."""
    sure = isfinite(proposal.confidence) and threshold <= proposal.confidence <= 1
    ours = proposal.ticker is None or proposal.ticker in instruments
    return "approved" if sure and ours and proposal.step in ANSWERS else "pending"
