"""The settings of an admin: a page of sections, each a template and a function that reads what it shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, g, get_flashed_messages, render_template

from kamioi_web import saved_views
from kamioi_web.auth import tokens
from kamioi_web.auth.tokens import Token
from kamioi_web.pages import PAGES
from kamioi_web.request_context import database_connection
from kamioi_web.schema import SCOPES
from kamioi_web.text import age_text, day_text

DAYS = "90"  # what the form of a new token proposes


@dataclass(frozen=True)
class Section:
    """One part of the page: `read` gives what settings/NAME.html shows."""

    name: str
    title: str
    read: Callable[[], dict[str, Any]]


def register(pages: Blueprint) -> None:
    """Give the page its URL."""
    pages.add_url_rule("/settings", endpoint="settings", view_func=show)


def show() -> Response:
    """The page. What is shown once is in it once, and kept by no cache."""
    return page()


def page(status: int = 200, **typed: Any) -> Response:
    """The page with what was typed into a form that could not be taken: its fields, and `error` says why."""
    sections = [
        {"name": section.name, "title": section.title, "template": f"settings/{section.name}.html", **section.read()}
        for section in SECTIONS
    ]
    once = {kind: text for kind, text in get_flashed_messages(with_categories=True)}  # noqa: C416 - typed, dict() is not
    response = current_app.make_response(render_template("settings.html", sections=sections, once=once, typed=typed))
    response.status_code = status
    if once:
        response.headers["Cache-Control"] = "no-store"
    return response


def _tokens() -> dict[str, Any]:
    now = datetime.now(UTC)
    found = tokens.list_tokens(database_connection(), g.admin.id)
    shown = [_shown(token, now) for token in found]
    return {"tokens": shown, "scopes": SCOPES, "days": DAYS, "most_days": tokens.LONGEST_DAYS}


def _shown(token: Token, now: datetime) -> dict[str, Any]:
    expired = token.expires_at <= now
    return {
        "id": token.id,
        "prefix": token.prefix,
        "name": token.name or "Login of a program",
        "scope": token.scope,
        "created": day_text(token.created_at.date().isoformat()),
        "used": f"{age_text((now - token.seen_at).total_seconds())} ago" if token.seen_at else "never",
        "expires": f"{'expired ' if expired else ''}{day_text(token.expires_at.date().isoformat())}",
        "expired": expired,
    }


def _views() -> dict[str, Any]:
    return {"views": saved_views.of_settings({page.name: page for page in PAGES})}


SECTIONS: Sequence[Section] = (Section("tokens", "API tokens", _tokens), Section("views", "Saved views", _views))
