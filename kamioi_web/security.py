"""What protects every answer and every form: headers, the origin of a request, tokens of forms, the secret key."""

import contextlib
import logging
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from kamioi_web.auth.cookies import FormSessions
from kamioi_web.errors import BadRequest, KamioiError
from kamioi_web.settings import Settings

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
SHORTEST_KEY = 32
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",  # asked for again each time, yet Back shows the page as it was left
}


class Refused(KamioiError):
    """Not allowed to the one who asks."""

    status = 403


def secure(app: Flask, settings: Settings) -> None:
    """Number the requests, check where forms come from, and send the headers. Call before anything else hooks in."""
    app.secret_key = load_secret_key(settings)
    app.session_interface = FormSessions()
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a token lasts from login to logout
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # checked below, to answer in our words
    app.config["WTF_CSRF_SSL_STRICT"] = False  # the origin is checked instead; some people send no referrer
    app.before_request(_number)
    app.context_processor(lambda: {"request_id": g.request_id})
    app.before_request(_check_origin)
    CSRFProtect(app)
    app.before_request(_check_token)
    policy = content_security_policy()
    app.after_request(lambda response: _add_headers(response, policy))


def content_security_policy(static_host: str = "") -> str:
    """The policy of every page: everything from here (and the static host), nothing inline, no frames."""
    own = f"'self' {static_host}".strip()
    return (
        f"default-src 'none'; script-src {own}; style-src {own}; img-src {own} data:; font-src {own}; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def load_secret_key(settings: Settings) -> str:
    """The key that signs forms: the setting, or in development one made once and kept beside the database."""
    key = settings.secret_key.get_secret_value() if settings.secret_key else ""
    if settings.in_production and len(key) < SHORTEST_KEY:
        raise KamioiError(
            f"Set KAMIOI_SECRET_KEY to {SHORTEST_KEY} random characters or more, the same for every process; "
            'python -c "import secrets; print(secrets.token_hex(32))" makes one.'
        )
    return key or _kept_key(settings.database_folder / ".kamioi-secret")


def bearer() -> str | None:
    """The token that a program sent, '' when it is not one; None when no program asks. Only the API takes tokens.

    No browser adds this header by itself, so what carries it was not sent by another site's form.
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not request.path.startswith("/api/"):
        return None
    return given.token or ""


def no_form(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that no page's form is sent to, so that no token of forms is asked for: it changes no session."""
    view.is_no_form = True  # ty: ignore[missing-attribute]
    return view


def _number() -> None:
    g.request_id = secrets.token_hex(8)


def _check_origin() -> None:
    """Refuse what a page of another site sends. Browsers set these headers; a page cannot."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    # https of this host is ours even when a proxy in front speaks http to us.
    foreign = origin is not None and origin not in (f"https://{request.host}", f"{request.scheme}://{request.host}")
    if foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        log.warning("request %s refused: sent by a page of another site", g.request_id)
        raise Refused("This form was sent from another site, so nothing was done. Open the page here and try again.")


def _check_token() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if bearer() is None and not getattr(view, "is_no_form", False):
        check_token()


def check_token() -> None:
    """Refuse a form without the token that its page gave it: for a view that reads its form itself."""
    tokens: CSRFProtect = current_app.extensions["csrf"]
    try:
        tokens.protect(apply_exemptions=True)
    except CSRFError as error:
        log.warning("request %s refused: %s", g.request_id, error.description)
        raise BadRequest(
            "This form is too old: it was opened before you logged in or out. "
            "Nothing was done. Go back, reload the page and send it again.",
            "csrf_token",
        ) from error


def _add_headers(response: Response, policy: str) -> Response:
    headers = response.headers
    for name, value in HEADERS.items():
        if name not in headers:
            headers[name] = value
    headers["Content-Security-Policy"] = policy
    headers["X-Request-Id"] = g.get("request_id", "")
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def _kept_key(path: Path) -> str:
    """The key in the file, which is made when there is none and is for its owner only."""
    try:
        if not path.exists():
            _make_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        key = path.read_text().strip()
    except OSError as error:
        raise KamioiError(f"The secret key cannot be kept in {path}: {error}. Set KAMIOI_SECRET_KEY.") from error
    if len(key) < SHORTEST_KEY:
        raise KamioiError(f"{path} holds no key. Remove it, and a new one is made.")
    return key


def _make_key(path: Path) -> None:
    """Write the key under another name and link it, so that of several processes one wins and none reads half."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
