"""The statuses of a legacy database and what they become here."""

from typing import Any

from kamioi_web.importing.legacy_values import flag, key

# A transaction's status, in lower case and with one kind of dash, and what it becomes. What is not listed here needs
# a person's review. 'pending' with a ticker becomes mapped and 'mapped' without one pending, once, at the import.
NORMAL_STATUS = {
    "pending": "pending",
    "pending-mapping": "pending",
    "mapped": "mapped",
    "staged": "mapped",  # waiting for its order
    "processing": "mapped",  # its order is under way, not done
    "completed": "completed",
    "invested": "completed",
    "posted": "completed",
    "failed": "failed",
    "flagged": "failed",
    "rejected": "rejected",
    "needs-review": "needs_review",
    "needs-recognition": "needs_review",
    "pending-approval": "needs_review",  # its user proposed a mapping
}
# A mapping's status. Where it is missing or unknown, admin_approved decides. Where the two disagree the status stands,
# except that -1 rejects what is pending; 1 does not approve it, for in one dialect 1 is merely the default.
MAPPING_STATUS = {
    "approved": "approved",
    "auto-approved": "approved",
    "pending": "pending",
    "pending-approval": "pending",
    "admin-review": "pending",
    "review-required": "pending",
    "needs-review": "pending",
    "uncertain": "pending",
    "rejected": "rejected",
}
APPROVAL = {1: "approved", 0: "pending", None: "pending", -1: "rejected"}


def of_transaction(written: Any, ticker: str | None) -> str:
    """A transaction's status; none at all is pending, the legacy database's default."""
    status = NORMAL_STATUS.get(key(written) or "pending", "needs_review")
    if status in ("pending", "mapped"):
        return "mapped" if ticker else "pending"
    return status


def of_mapping(written: Any, admin_approved: Any) -> tuple[str, bool]:
    """A mapping's status, and whether admin_approved says something else."""
    approval = flag(admin_approved)
    status = MAPPING_STATUS.get(key(written), APPROVAL[approval])
    if status == "pending" and approval == -1:
        status = "rejected"
    boolean = (status, approval) == ("rejected", 0)  # the dialect whose admin_approved cannot say -1
    return status, approval is not None and APPROVAL[approval] != status and not boolean
