"""What can go wrong with a model, in words that say what to do."""

from datetime import datetime

from kamioi_web.errors import KamioiError


class NotSetUp(KamioiError):
    """There is no model, or it cannot be used as it is set up; only a change of the settings helps."""


class Later(KamioiError):
    """The model may be asked again at `resumes_at`; until then nothing is lost and everything else works."""

    status = 503

    def __init__(self, message: str, resumes_at: datetime) -> None:
        super().__init__(f"{message} It goes on at {resumes_at:%Y-%m-%d %H:%M:%S} UTC.")
        self.resumes_at = resumes_at


class OverBudget(Later):
    """The day's tokens or money are used up."""


class Limited(Later):
    """The endpoint asked to be left alone, or it failed so often that it is."""


class Unusable(KamioiError):
    """The model has no answer that can be used, however often it is asked the same."""

    status = 502


class Failure(Exception):
    """One call failed. `paid` when the endpoint may charge for it; `after` are the seconds that it asks to wait."""

    def __init__(self, reason: str, paid: bool = False, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.paid, self.after = reason, paid, after


class Stopped(Exception):
    """The work was stopped before the model was asked again."""
