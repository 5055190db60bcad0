"""One answer to whatever goes wrong: a page for people, a row or a box for htmx, JSON for programs."""

import logging
from collections.abc import Mapping

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from kamioi_web.errors import BadRequest, KamioiError
from kamioi_web.pages import PAGES

log = logging.getLogger(__name__)
TITLES = {
    400: "That request cannot be understood",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Not that way",
    413: "Too large",
    429: "Not so often",
    503: "Not just now",
    507: "No room left",
}
WORDS = {
    404: "There is no such page.",
    405: "This address does not take that kind of request.",
    413: "What was sent is too large.",
    414: "The address is too long.",
    500: "Something went wrong here; it was noted, and nothing was changed. Try again, or tell us the reference.",
}


def handle_errors(app: Flask) -> None:
    """Answer every error in the form that the asker can use."""
    app.register_error_handler(KamioiError, _own_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DBAPIError, lambda error: _unexpected(error, 503))
    app.register_error_handler(Exception, lambda error: _unexpected(error, 500))


def _own_error(error: KamioiError) -> Response:
    return _answer(error.status, str(error), parameter_of(error), error.headers)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return _answer(status, WORDS.get(status, error.description or error.name), headers=kept)


def _unexpected(error: Exception, status: int) -> Response:
    log.error("request %s to %s failed", g.get("request_id"), request.path, exc_info=error)
    return _answer(status, words_of(error))


def _database_words(error: DBAPIError) -> str:
    if "no such index" in str(error.orig) or "no such table" in str(error.orig) or "does not exist" in str(error.orig):
        return "The database lacks a table or an index. Run kamioi-web migrate, then kamioi-web doctor."
    return "The database cannot answer just now. Try again in a moment."


def words_of(error: Exception) -> str:
    """What to say of an error to the person who asked."""
    if isinstance(error, KamioiError):
        return str(error)
    return _database_words(error) if isinstance(error, DBAPIError) else WORDS[500]


def parameter_of(error: KamioiError) -> str | None:
    """The parameter that a request got wrong, where it was one."""
    return error.parameter if isinstance(error, BadRequest) else None


def _answer(
    status: int, message: str, parameter: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    reference = g.get("request_id", "")
    if request.path.startswith("/api/") or request.path.endswith(".json"):
        title = TITLES.get(status, "Something went wrong")
        named = {"parameter": parameter} if parameter else {}
        response = jsonify(success=False, error=title, detail=message, request_id=reference, **named)
    elif request.headers.get("HX-Request") == "true":
        response = current_app.make_response(_fragment(message, reference))
        response.headers["X-Fragment"] = "1"
    else:
        title = TITLES.get(status, "Something went wrong")
        response = current_app.make_response(
            render_template("error.html", status=status, title=title, message=message, links=_ways_out())
        )
    response.status_code = status
    response.headers.update(headers or {})
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


def _fragment(message: str, reference: str) -> str:
    """A row for a list, a box for the rest; both offer to try again, with the same place."""
    again = request.full_path.rstrip("?")
    if request.path.endswith("/rows"):
        page = next((page for page in PAGES if request.path.startswith(page.href + "/")), PAGES[0])
        columns = len(page.cells.COLUMNS)
        return render_template(
            "table/problem.html",
            message=message,
            retry_href=again,
            href=page.href,
            columns=columns,
            request_id=reference,
        )
    return render_template("components/problem.html", message=message, retry_href=again, request_id=reference)


def _ways_out() -> list[dict[str, str]]:
    """Back to the list that the address belongs to, or else to the first page."""
    admin = g.get("admin")
    for page in PAGES:
        here = request.path == page.href or request.path.startswith(page.href + "/")
        if here and (admin is None or admin.may(page.role)):
            return [{"label": f"Back to {page.title}", "href": page.href}]
    return [{"label": PAGES[0].title, "href": PAGES[0].href}]
