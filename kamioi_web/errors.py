"""What can go wrong, in words for the person who asked."""

from collections.abc import Mapping


class KamioiError(Exception):
    """Something that the person who asked can act on; its text says how. `headers` go with the answer."""

    status = 500
    headers: Mapping[str, str] = {}


class BadRequest(KamioiError):
    """The request cannot be understood; `parameter` names what is wrong with it, where one thing is."""

    status = 400

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class NotFound(KamioiError):
    """There is no such thing."""

    status = 404


class TooSlow(KamioiError):
    """A statement reached its time limit and was stopped."""

    status = 503


class Busy(KamioiError):
    """The database is in use by another writer, or every connection is; trying again helps."""

    status = 503
