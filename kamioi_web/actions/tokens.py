"""Making and revoking the tokens of one's programs."""

from datetime import UTC, datetime

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web import settings_page
from kamioi_web.auth import tokens
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.filters import number
from kamioi_web.request_context import record_event
from kamioi_web.sent_forms import once

blueprint = Blueprint("tokens", __name__)
BACK = "/settings#tokens"


@blueprint.post("/settings/tokens")
@once
def create(connection: Connection) -> ResponseReturnValue:
    """Make a token and show it once; what cannot be taken is shown again with the reason."""
    name, scope = request.form.get("name", "").strip(), request.form.get("scope", "")
    days = request.form.get("days", "").strip()
    try:
        made = _create(connection, name, scope, number(days, "days"))
    except BadRequest as error:
        return settings_page.page(400, name=name, scope=scope, days=days, error=str(error), parameter=error.parameter)
    # Through the signed cookie and never through the address, which histories and logs keep.
    flash(made.secret, "token")
    return redirect(BACK, 303)


@blueprint.post("/settings/tokens/<int:id>/revoke")
@once
def revoke(connection: Connection, id: int) -> ResponseReturnValue:
    """End a token; from then on it opens nothing."""
    ended = tokens.revoke_token(connection, g.admin.id, id, datetime.now(UTC))
    if ended is None:
        raise NotFound("There is no such token among yours, or it was revoked already.")
    record_event(connection, "token.revoked", g.admin.id, "token", id, prefix=ended.prefix)
    flash(ended.prefix, "revoked")
    return redirect(BACK, 303)


def _create(connection: Connection, name: str, scope: str, days: int) -> tokens.Made:
    made = tokens.create_named(connection, g.admin.id, name, scope, datetime.now(UTC), days)
    about = {"name": name, "prefix": made.prefix, "scope": scope, "days": days}
    record_event(connection, "token.created", g.admin.id, "token", made.id, **about)
    return made
