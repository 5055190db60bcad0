"""What nobody thought of: schemathesis reads the API's document and calls what it describes, rightly and wrongly."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from contract import fill
from flask import Flask, Response, request
from hypothesis import strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from sqlalchemy import insert

from kamioi_web import create_app
from kamioi_web.api.endpoints import ENDPOINTS
from kamioi_web.api.lists import PLACES, OtherName, parameters_of
from kamioi_web.auth import tokens
from kamioi_web.db import Database
from kamioi_web.pages import PAGES
from kamioi_web.schema import admins
from kamioi_web.settings import Settings

EXAMPLES = 5  # of each call at random, beside those that cover each parameter's edges
FIRST, LAST = datetime.datetime(1970, 1, 1), datetime.datetime(2199, 12, 31)
# What a document cannot say: these name one thing twice, and a page far down is not known where no total is kept.
ONE_THING = [
    {"page", "cursor"},
    {"merchant", "merchant_id"},
    {"search", "merchant_id"},
    *({one.name, one.of} for page in PAGES for one in parameters_of(page) if isinstance(one, OtherName)),
]
UNFILTERED = {parameter.name for parameter in PLACES}
CURSORS = strategies.builds("{}Z~{}".format, strategies.datetimes(FIRST, LAST).map(datetime.datetime.isoformat),
                            strategies.integers(0, 2**63 - 1))  # fmt: skip
Failures = dict[tuple[str, str], list[str]]

schemathesis.openapi.format("date", strategies.dates(FIRST.date(), LAST.date()).map(str))
schemathesis.openapi.format("cursor", CURSORS)


@pytest.fixture
def called() -> dict[str, list[int]]:
    """{endpoint: the statuses that it answered}: a run that called nothing would find nothing."""
    return defaultdict(list)


@pytest.fixture
def app(
    settings: Settings, database: Database, make_transactions: Callable[..., None], called: dict[str, list[int]]
) -> Iterator[Flask]:
    """The dashboard over some of everything."""
    fill(database, make_transactions)
    app = create_app(settings)

    def note(response: Response) -> Response:
        called[(request.endpoint or "").removeprefix("pages.api/")].append(response.status_code)
        return response

    app.after_request(note)
    yield app
    for opened in (app.extensions["database"], app.extensions.get("database_without_waiting")):
        if opened:
            opened.close()


@pytest.fixture
def find_failures(app: Flask, database: Database) -> Callable[..., Failures]:
    """find_failures("me", ...): {(call, check): what is wrong} of those calls, or of all but the one that logs out."""
    now = datetime.datetime.now(datetime.UTC)
    owner = {"email": "owner@example.com", "password_hash": "none", "role": "owner", "active": True, "preferences": {}}
    with database.writing() as connection:
        added = insert(admins).values(**owner, created_at=now).returning(admins.c.id)
        admin_id = connection.execute(added).scalar_one()
        secret = tokens.create_named(connection, admin_id, "schemathesis", "write", now, 7).secret
    headers = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}

    def find(*names: str) -> Failures:
        schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=_config(headers), headers=headers)
        schema.hook(filter_case)
        # By exclusion: schemathesis adds to what is included every call that the configuration does not name.
        others = {endpoint.name for endpoint in ENDPOINTS}.difference(names) if names else {"logout"}
        return _run(schema.exclude(operation_id=sorted(others)))

    return find


def _config(headers: dict[str, str]) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "headers": headers,
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
            # Tries each call without a token, but cannot within one process; test_api.py does that.
            "checks": {"ignored_auth": {"enabled": False}},
            # What a change of many takes depends on the rows: their number must be confirmed.
            "operations": [
                {"include-operation-id": "change_many", "checks": {"positive_data_acceptance": {"enabled": False}}}
            ],
            "phases": {"coverage": {"unexpected-methods": ["delete"]}, "stateful": {"enabled": False}},
        }
    )


def filter_case(context: Any, case: Any) -> bool:
    """Whether a request makes sense beyond what the document can say of it."""
    given, values = set(case.query or {}), (case.query or {}).values()
    whole = any(isinstance(value, float) and value.is_integer() for value in values)  # 50.0 is an integer in JSON alone
    far = "page" in given and given - UNFILTERED
    backwards = str((case.query or {}).get("since", "")) > str((case.query or {}).get("until", "~"))
    alone = "subject_id" in given and "subject" not in given
    return not (whole or far or backwards or alone or any(names <= given for names in ONE_THING))


def _run(schema: Any) -> Failures:
    found: Failures = defaultdict(list)
    for event in from_schema(schema).execute():
        if isinstance(event, (events.NonFatalError, events.FatalError)):
            raise AssertionError(f"schemathesis failed itself: {event}")
        if isinstance(event, events.ScenarioFinished):
            for check in (check for checks in event.recorder.checks.values() for check in checks):
                if check.failure_info:
                    told = f"{check.failure_info.failure.message} {check.failure_info.code_sample}"
                    found[event.recorder.label, check.name].append(told)
    return found


def test_no_call_of_the_api_breaks_its_contract(
    find_failures: Callable[..., Failures], called: dict[str, list[int]]
) -> None:
    found = find_failures()
    assert not found, {key: told[0] for key, told in found.items()}
    for endpoint in ENDPOINTS:
        if endpoint.name not in ("login", "logout"):
            reached = {endpoint.status} | ({404, 409} if endpoint.keyed else set())
            assert reached & set(called[endpoint.name]), endpoint.name
            assert not endpoint.parameters or {400, 404} & set(called[endpoint.name]), endpoint.name
    assert set(called["login"]) >= {400, 401}


def test_planted_faults_are_found(
    app: Flask, find_failures: Callable[..., Failures], called: dict[str, list[int]]
) -> None:
    views = app.view_functions
    lists: Any = views["pages.api/users"]
    me: Any = views["pages.api/me"]

    def failing() -> Any:
        return {}[0] if "family" in request.args.getlist("account_type") else lists()

    def talkative() -> Any:
        return me().json | {"password_hash": "…"}

    views["pages.api/users"], views["pages.api/me"] = failing, talkative
    found = find_failures("users", "me", "user")
    assert len(called["users"]) > EXAMPLES and called["me"] and "logout" not in called
    assert ("GET /api/admin/users", "not_a_server_error") in found
    assert ("GET /api/admin/auth/me", "response_schema_conformance") in found
    assert "password_hash" in found["GET /api/admin/auth/me", "response_schema_conformance"][0]
    assert not any(call == "GET /api/admin/users/{id}" for call, _ in found), "which is sound"
