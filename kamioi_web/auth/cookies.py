"""The two cookies: the session's token, and the signed one that goes with forms."""

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface

SESSION, FORMS = "kamioi_session", "kamioi_forms"
TOKEN_LENGTH = 43  # 256 bits in base64


def read_token() -> str | None:
    """The session token that the browser sent, when it has the form of one."""
    token = request.cookies.get(_named(SESSION), "")
    return token if len(token) == TOKEN_LENGTH else None


def give_token(response: Response, token: str, days: float) -> None:
    """Let the browser keep the token, out of reach of scripts and of other sites' forms."""
    response.set_cookie(
        _named(SESSION),
        token,
        max_age=int(days * 86_400),
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def take_token(response: Response) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(_named(SESSION), path="/", secure=request.is_secure, httponly=True, samesite="Lax")


class FormSessions(SecureCookieSessionInterface):
    """Flask's signed cookie; it holds the token of forms and, on the way to the next page, what that shows once."""

    def get_cookie_name(self, app: Flask) -> str:
        return _named(FORMS)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_cookie_samesite(self, app: Flask) -> str:
        return "Lax"


def _named(name: str) -> str:
    # Over https the prefix makes browsers refuse the cookie from anywhere but this very host over https.
    return f"__Host-{name}" if request.is_secure else name
