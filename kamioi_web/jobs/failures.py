"""What may go wrong while a job runs: what passes by itself, what somebody has to mend, and what is our own mistake."""

import errno
import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from kamioi_web.errors import Busy, KamioiError, TooSlow

FULL = "The disk is full. Free some space, then press Try again: what was done is kept."


def passes(error: BaseException) -> bool:
    """Whether trying again in a moment may help: the database is busy, was restarted, or is out of reach."""
    if isinstance(error, Busy | TooSlow | PendingRollbackError):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if is_full(cause):
        return False
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "busy" in str(cause) or "unable to open" in str(cause)
    return isinstance(cause, psycopg.OperationalError)


def in_words(error: BaseException) -> str | None:
    """What somebody has to mend; None when it is a mistake of ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if is_full(cause):
        return FULL
    if isinstance(error, KamioiError):
        return str(error)
    return f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.strerror else None


def is_full(error: BaseException | None) -> bool:
    """Whether a disk is full, of files or of a database."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, psycopg.errors.DiskFull) or "disk is full" in str(error)
