"""The endpoints of the API. One declaration of each gives it its URL and describes it in the document."""

from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from flask import Blueprint
from pydantic import create_model

from kamioi_web import audit_page, import_page, job_page, mapping_page, merchant_page, transaction_page, user_page
from kamioi_web.api import (
    access,
    analytics_objects,
    answers,
    dashboard,
    dashboard_objects,
    merchant_objects,
    objects,
    overview,
    overview_objects,
    search,
    search_objects,
    writes,
)
from kamioi_web.api.access import Credentials
from kamioi_web.api.endpoint import Endpoint
from kamioi_web.api.lists import cursor, parameters_of
from kamioi_web.filters import Parameter
from kamioi_web.pages import AUDIT, IMPORTS, JOBS, MAPPINGS, MERCHANTS, PAGES, TRANSACTIONS, USERS
from kamioi_web.queries import analytics_scope
from kamioi_web.table_page import TablePage


def _list(page: TablePage) -> Endpoint:
    """A list, newest first; its rows and figures are of the types that the page's cells give them."""
    row: Any = get_type_hints(page.cells.as_json)["return"]
    stats: Any = get_type_hints(page.cells.stats)["return"]
    content: dict[str, Any] = {
        page.name: (Sequence[row], ...),
        "total": (int | None, ...),
        "pagination": (answers.Pagination, ...),
    }
    title = page.name.capitalize()
    if page.under_data:
        content = {"data": (create_model(f"{title}Page", **content), ...)}
    around: dict[str, Any] = {"meta": (answers.Meta, ...), "stats": (stats, ...)}
    answer = create_model(f"{title}Answer", success=(answers.Succeeded, ...), **content, **around)
    return Endpoint(
        page.name,
        page.api_path,
        page.show_json,
        f"{page.title}, newest first",
        answer,
        page.title,
        about=f"At most {page.largest} a page. The total and the figures are of the whole filter, not of the page.",
        parameters=parameters_of(page),
        role=page.role,
        example="?limit=20",
    )


def _object(page: TablePage, name: str, view: Callable[..., Any], title: str, answer: Any, path: str = "") -> Endpoint:
    """One object of a list."""
    at = (Parameter("at", "Its place in the list, which makes the look-up cheaper", cursor),)
    path = path or f"{page.api_path}/<int:id>"
    return Endpoint(name, path, view, title, answer, page.title, parameters=at, role=page.role)


STEERED = {
    "pause": "Pause a job after what it is at",
    "resume": "Let a paused job go on",
    "cancel": "End a job; what it has done stays",
    "retry": "Let a job that failed or was cancelled go on",
}
KEYED = "With an Idempotency-Key, the same request sent again acts once and is answered the same."
DECIDED = {
    "approve": "Approve a mapping as it is proposed",
    "reject": "Reject a mapping; its merchant waits for another",
}
DECIDING = f"{KEYED} A job applies it to the merchant's transactions that are not completed."
ACCESS = (
    Endpoint(
        "login",
        "/api/admin/auth/login",
        access.log_in,
        "Log in for a token",
        answers.Login,
        "Access",
        about="The token has the scope write and ends when it is revoked, or after the days that a session lasts.",
        method="POST",
        body=Credentials,
        open=True,
    ),
    Endpoint("me", "/api/admin/auth/me", access.show_me, "Whose token this is", answers.Me, "Access"),
    Endpoint(
        "logout",
        "/api/admin/auth/logout",
        access.log_out,
        "Revoke the token that the request carries",
        answers.Done,
        "Access",
        method="POST",
    ),
)
OBJECTS = (
    _object(
        TRANSACTIONS,
        "transaction",
        transaction_page.show_json,
        "One transaction, and where its round-up went",
        objects.TransactionAnswer,
    ),
    _object(USERS, "user", user_page.show_json, "One user, with their totals and what they hold", objects.UserAnswer),
    _object(
        MAPPINGS,
        "mapping",
        mapping_page.show_json,
        "One mapping, and what else was decided about its merchant",
        merchant_objects.MappingAnswer,
        "/api/admin/llm-center/mapping/<int:id>",
    ),
    _object(
        MERCHANTS,
        "merchant",
        merchant_page.show_json,
        "One merchant, with its totals and the mapping in force",
        merchant_objects.MerchantAnswer,
    ),
    _object(IMPORTS, "import", import_page.show_json, "One import", objects.ImportAnswer),
    _object(JOBS, "job", job_page.show_json, "One job, and what came of it", objects.JobAnswer),
    _object(AUDIT, "event", audit_page.show_json, "One event", objects.EventAnswer),
)


FIGURES = (
    Endpoint(
        "overview",
        "/api/admin/dashboard/overview",
        overview.show,
        "What needs attention, and what happened lately",
        overview_objects.OverviewAnswer,
        "Overview",
    ),
    Endpoint(
        "user_metrics",
        "/api/admin/user-metrics",
        dashboard.show_users,
        "Users of each kind",
        dashboard_objects.UserMetrics,
        USERS.title,
    ),
    Endpoint(
        "queue",
        "/api/admin/llm-center/queue",
        dashboard.show_queue,
        "How many mappings wait",
        dashboard_objects.QueueAnswer,
        MAPPINGS.title,
    ),
    Endpoint(
        "analytics",
        "/api/admin/financial-analytics",
        dashboard.show_analytics,
        "The figures of a period beside those of the one before",
        analytics_objects.AnalyticsAnswer,
        "Analytics",
        about="Without dates, the last twelve whole months. Amounts are in cents of one currency.",
        parameters=analytics_scope.PARAMETERS,
        example="?since=2024-01-01&until=2024-03-31",
    ),
)


WRITES = (
    Endpoint(
        "set_status",
        "/api/admin/transactions/<int:id>/status",
        writes.set_status,
        "Change the status of one transaction",
        objects.StatusAnswer,
        TRANSACTIONS.title,
        about=f"{KEYED} Its round-up is allocated, or taken back, as the status says.",
        method="PATCH",
        keyed=True,
        body=writes.NewStatus,
        role=TRANSACTIONS.bulk_role,
    ),
    Endpoint(
        "change_many",
        "/api/admin/transactions/bulk",
        writes.change_many,
        "Change all transactions under a filter, by a job",
        objects.JobAnswer,
        TRANSACTIONS.title,
        about=f"{KEYED} Above 1,000 rows, “confirm” must be their number. Only rows that are there now are changed.",
        method="POST",
        keyed=True,
        body=writes.BulkChange,
        role=TRANSACTIONS.bulk_role,
        status=202,
    ),
    *(
        Endpoint(
            f"{action}_mapping",
            f"/api/admin/llm-center/mapping/<int:id>/{action}",
            writes.decide(action),
            title,
            merchant_objects.MappingAnswer,
            MAPPINGS.title,
            about=DECIDING,
            method="POST",
            keyed=True,
            body=writes.Decision,
            role="reviewer",
        )
        for action, title in DECIDED.items()
    ),
    Endpoint(
        "update_mapping",
        "/api/admin/llm-center/mapping/<int:id>/update",
        writes.update_mapping,
        "Map a merchant to another company, or to none",
        merchant_objects.MappingAnswer,
        MAPPINGS.title,
        about=f"{DECIDING} The answer is the new mapping; the old one is kept as rejected.",
        method="PUT",
        keyed=True,
        body=writes.NewAnswer,
        role="reviewer",
    ),
    Endpoint(
        "undo_job",
        "/api/admin/jobs/<int:id>/undo",
        writes.undo,
        "Undo a job, by another one",
        objects.JobAnswer,
        JOBS.title,
        about=f"{KEYED} What somebody has changed since stays as it is.",
        method="POST",
        keyed=True,
        role=TRANSACTIONS.bulk_role,
        status=202,
    ),
    *(
        Endpoint(
            f"{wish}_job",
            f"/api/admin/jobs/<int:id>/{wish}",
            writes.steering(wish),
            title,
            objects.JobAnswer,
            JOBS.title,
            about=KEYED,
            method="POST",
            keyed=True,
        )
        for wish, title in STEERED.items()
    ),
)


SEARCH = Endpoint(
    "search",
    "/api/admin/search",
    search.show,
    "Everything that holds a text",
    search_objects.SearchAnswer,
    "Search",
    about="Merchants, users, companies, values of filters, pages and saved views; misspelt words are corrected.",
    parameters=search.PARAMETERS,
    example="?q=coffee",
)


def _of(page: TablePage) -> tuple[Endpoint, ...]:
    return (_list(page), *(one for one in (*OBJECTS, *FIGURES, *WRITES) if one.group == page.title))


LISTED = tuple(endpoint for page in PAGES for endpoint in _of(page))
ENDPOINTS = (*ACCESS, *(one for one in FIGURES if one not in LISTED), *LISTED, SEARCH)


def register(pages: Blueprint) -> None:
    """Give the endpoints their URLs."""
    for endpoint in ENDPOINTS:
        endpoint.register(pages)
