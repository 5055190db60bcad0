"""How far an import has come, in a form that a later run can take up."""

import json
from collections import Counter
from dataclasses import dataclass, field

REASONS = 50  # kinds of reasons that are counted apart


@dataclass
class Tally:
    """Counts up to a record, and the chain: a digest over every record so far, from which the next one goes on.

    `blank` is not kept: a later run reads the file from its start anyway and counts the blank lines again.
    """

    chain: str
    records: int = 0
    taken: int = 0
    rejected: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    rejects_size: int = 0
    blank: int = 0

    def reject(self, reason: str) -> None:
        """Count one rejected record."""
        self.rejected += 1
        known = reason in self.reasons or len(self.reasons) < REASONS
        self.reasons[reason if known else "other reasons"] += 1

    def dump(self) -> str:
        """The tally as text for the imports table."""
        kept = {name: value for name, value in vars(self).items() if name != "blank"}
        return json.dumps(kept, sort_keys=True)

    @classmethod
    def load(cls, text: str) -> "Tally":
        """A tally that dump wrote."""
        kept = json.loads(text)
        counters = {name: Counter(kept.pop(name)) for name in ("sums", "reasons")}
        return cls(**kept, **counters)
