"""The settings of an admin: the tokens of their programs, made and revoked in forms that need no JavaScript."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from helpers import get
from sqlalchemy import select, update
from test_login import change, events, token_of

from kamioi_web.db import Database
from kamioi_web.schema import api_tokens

MAKE = "/settings/tokens"


def send(client: FlaskClient, address: str, **fields: object) -> Any:
    """A form as the page would send it."""
    return client.post(address, data={"csrf_token": token_of(get(client, "/settings"))} | fields)


def shown_secret(page: str) -> str | None:
    found = re.search(r'value="(kam_[\w-]{43})"', page)
    return found[1] if found else None


def test_a_new_token_is_shown_once_and_is_in_no_address(client: FlaskClient, database: Database) -> None:
    assert "You have no tokens." in get(client, "/settings").text
    answer = send(client, MAKE, name=" Nightly <report> ", scope="read", days="30")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings#tokens")
    page = get(client, "/settings")
    secret = shown_secret(page.text)
    assert secret
    assert page.headers["Cache-Control"] == "no-store"
    again = get(client, "/settings")
    assert secret not in again.text
    assert secret not in str(again.headers)
    assert "no-store" not in again.headers["Cache-Control"]
    assert f"<code>{secret[:8]}…</code>" in again.text
    assert "Nightly &lt;report&gt;" in again.text
    program = client.application.test_client()
    bearing = {"Authorization": f"Bearer {secret}"}
    assert get(program, "/api/admin/auth/me", headers=bearing).json["success"] is True
    action, admin_id, token_id, detail = events(database)[-1]
    assert detail == {"name": "Nightly <report>", "prefix": secret[:8], "scope": "read", "days": 30}
    with database.reading() as connection:
        row = connection.execute(select(api_tokens)).one()
    assert (action, admin_id, token_id) == ("token.created", row.admin_id, row.id)
    assert timedelta(days=29.9) < row.expires_at - datetime.now(UTC) < timedelta(days=30)


def test_the_list_tells_what_each_token_is_and_how_it_is_used(client: FlaskClient, database: Database) -> None:
    send(client, MAKE, name="one", scope="write", days="30")
    secret = shown_secret(get(client, "/settings").text)
    assert '<td data-label="Last used">never</td>' in get(client, "/settings").text
    get(client.application.test_client(), "/api/admin/auth/me", headers={"Authorization": f"Bearer {secret}"})
    page = get(client, "/settings").text
    assert re.search(r'<td data-label="Last used">\d+ s ago</td>', page)
    assert '<td data-label="Scope">write</td>' in page
    change(database, update(api_tokens).values(expires_at=datetime(2024, 3, 14, tzinfo=UTC)))
    assert "expired 14 Mar 2024" in get(client, "/settings").text


def test_a_revoked_token_opens_nothing(client: FlaskClient, database: Database) -> None:
    send(client, MAKE, name="one", scope="read", days="30")
    page = get(client, "/settings").text
    secret, address = shown_secret(page), re.search(r'action="(/settings/tokens/\d+/revoke)"', page)
    assert secret and address
    answer = send(client, address[1])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings#tokens")
    page = get(client, "/settings").text
    assert f"The token <code>{secret[:8]}…</code> was revoked" in page
    assert "You have no tokens." in page
    bearing = {"Authorization": f"Bearer {secret}"}
    assert get(client.application.test_client(), "/api/admin/auth/me", 401, headers=bearing)
    assert events(database)[-1][0::3] == ("token.revoked", {"prefix": secret[:8]})
    assert send(client, address[1]).status_code == 404


def test_nobody_sees_or_revokes_the_tokens_of_another(make_client: Callable[..., FlaskClient]) -> None:
    mine, theirs = make_client(), make_client()
    send(mine, MAKE, name="mine", scope="read", days="30")
    address = re.search(r'action="(/settings/tokens/\d+/revoke)"', get(mine, "/settings").text)
    assert address
    assert "mine" not in html.unescape(get(theirs, "/settings").text).split("API tokens", 1)[1].split("<form", 1)[0]
    assert send(theirs, address[1]).status_code == 404
    assert address[1] in get(mine, "/settings").text


def test_what_cannot_be_taken_stays_in_the_form_with_the_reason(client: FlaskClient) -> None:
    for fields, words in (
        ({"name": "", "scope": "write", "days": "30"}, "A token needs a name"),
        ({"name": "N" * 81, "scope": "write", "days": "30"}, "A token needs a name"),
        ({"name": "Nightly", "scope": "all", "days": "30"}, "is not a scope"),
        ({"name": "Nightly", "scope": "write", "days": "0"}, "1, 2, 3 and so on"),
        ({"name": "Nightly", "scope": "write", "days": "soon"}, "is not a number"),
        ({"name": "Nightly", "scope": "write", "days": "367"}, "1 to 366 days"),
    ):
        answer = send(client, MAKE, **fields)
        assert answer.status_code == 400
        assert words in answer.text, fields
        assert f'name="name" value="{fields["name"]}"' in answer.text
        assert f'name="days" value="{fields["days"]}"' in answer.text
        assert ('value="write" checked' in answer.text) == (fields["scope"] == "write")
    assert "You have no tokens." in get(client, "/settings").text


def test_forms_without_their_token_and_strangers_change_nothing(client: FlaskClient, database: Database) -> None:
    fields = {"name": "one", "scope": "read", "days": "30"}
    assert client.post(MAKE, data=fields).status_code == 400
    stranger = client.application.test_client()
    assert get(stranger, "/settings", 303).headers["Location"] == "/login?next=/settings"
    token = token_of(stranger.get("/login"))
    assert stranger.post(MAKE, data=fields | {"csrf_token": token}).headers["Location"] == "/login"
    with database.reading() as connection:
        assert connection.execute(select(api_tokens)).all() == []
