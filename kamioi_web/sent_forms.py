"""A form that is sent twice acts once and is answered the same: a double click, Back and again, a proxy that resends.

A form carries a key that was made when it was shown (`once` in its fields), a program sends one as Idempotency-Key. The
key is taken in the transaction of the effect, so of many that come at once one acts, the others wait for it and are
given its answer; and where the effect fails the key is free again. The rules are those of Stripe's API
(docs.stripe.com/api/idempotent_requests): the answer is kept for a day, and a key with other content is refused.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from os import SEEK_END
from typing import Any

from flask import Response, current_app, g, request
from sqlalchemy import BigInteger, Connection, Text, bindparam, select, text, update
from werkzeug.datastructures import FileStorage

from kamioi_web.errors import BadRequest
from kamioi_web.jobs import store
from kamioi_web.jobs.bell import Bell
from kamioi_web.jobs.store import Order
from kamioi_web.jobs.tables import sent_forms
from kamioi_web.request_context import database_of, record_event, settings_of
from kamioi_web.schema import Moment

FIELD, HEADER = "once", "Idempotency-Key"
LONGEST = 255
NOT_CONTENT = (FIELD, "csrf_token")
REUSED = "This was sent before with other content, so nothing was done. Open the page anew and send it again."
TAKE = text(
    "INSERT INTO sent_forms (admin_id, endpoint, key, content, answer, created_at) "
    "VALUES (:admin, :endpoint, :key, :content, 'null', :at) ON CONFLICT DO NOTHING"
).bindparams(bindparam("admin", type_=BigInteger), bindparam("key", type_=Text), bindparam("at", type_=Moment))
s = sent_forms.c


class Reused(BadRequest):
    """A key that came with other content before."""

    status = 422


class _Refused(Exception):
    """The view answered with an error: undo what the transaction holds, the key with it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def new_key() -> str:
    """A key for a form that is being shown."""
    return secrets.token_hex(12)


def once(view: Callable[..., Any]) -> Callable[..., Response]:
    """Give a view of a POST its transaction as first argument, and let it act once for a key."""

    @wraps(view)
    def act(**arguments: Any) -> Response:
        g.to_ring = []
        try:
            with database_of().writing() as connection:
                database_of().dialect.limit_waits(connection, settings_of().lock_seconds)
                response = _answer(connection, view, arguments)
        except _Refused as refused:
            return refused.response
        for queue in g.to_ring:
            bell().ring(queue)
        return response

    return act


def order(connection: Connection, job: Order) -> int:
    """Add a job with its event in the audit log; a worker is woken when the view's transaction has committed."""
    id = store.add(connection, job)
    record_event(connection, "job.ordered", job.admin_id, "job", id, kind=job.kind, title=job.title)
    g.to_ring.append(job.queue)
    return id


def bell() -> Bell:
    """The bell of this process."""
    extensions = current_app.extensions
    if "bell" not in extensions:
        extensions["bell"] = Bell(settings_of())
    return extensions["bell"]


def _answer(connection: Connection, view: Callable[..., Any], arguments: dict[str, Any]) -> Response:
    key = _key()
    if key:
        kept = _take(connection, key)
        if kept is not None:
            return _again(kept)
    response = current_app.make_response(view(connection, **arguments))
    if response.status_code >= 400:
        raise _Refused(response)
    if key:
        connection.execute(update(sent_forms).where(*_here(key)).values(answer=_kept(response)))
    return response


def _key() -> str:
    key = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if len(key) > LONGEST or not key.isprintable():
        raise BadRequest(f"{HEADER} takes at most {LONGEST} printable characters.", HEADER)
    return key


def _take(connection: Connection, key: str) -> dict[str, Any] | None:
    """The answer that the key was given before; None when it is ours now."""
    content = _content()
    named = {"admin": g.admin.id, "endpoint": request.endpoint, "key": key, "content": content, "at": datetime.now(UTC)}
    if connection.execute(TAKE, named).rowcount:
        return None
    kept = connection.execute(select(s.content, s.answer).where(*_here(key))).one()
    if kept.content != content:
        raise Reused(REUSED, FIELD)
    return kept.answer


def _here(key: str) -> tuple[Any, ...]:
    return s.admin_id == g.admin.id, s.endpoint == request.endpoint, s.key == key


def _content() -> str:
    """What sets one sending apart from another: the address and the fields, without what belongs to the form itself."""
    fields = sorted((name, value) for name, value in request.form.items(multi=True) if name not in NOT_CONTENT)
    files = sorted((name, file.filename or "", _size(file)) for name, file in request.files.items(multi=True))
    whole = [request.full_path, fields, files, request.get_json(silent=True) if request.is_json else None]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _size(file: FileStorage) -> int:
    """How large a file is, without reading it."""
    size = file.stream.seek(0, SEEK_END)
    file.stream.seek(0)
    return size


def _kept(response: Response) -> dict[str, Any]:
    body = response.get_data(as_text=True) if response.mimetype == "application/json" else ""
    return {"status": response.status_code, "location": response.location, "body": body, "type": response.mimetype}


def _again(kept: dict[str, Any]) -> Response:
    response = Response(kept["body"], kept["status"], mimetype=kept["type"])
    if kept["location"]:
        response.headers["Location"] = kept["location"]
    response.headers["Idempotent-Replayed"] = "true"
    return response
