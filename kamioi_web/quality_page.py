"""The quality page: how proposals fare with the admins, what waits, what the model costs, and labelled files."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, g, render_template, request, send_file
from sqlalchemy import Connection

from kamioi_web import charts, filters, quality_run
from kamioi_web.charts import Figure, Label, Line
from kamioi_web.errors import NotFound
from kamioi_web.jobs import quality
from kamioi_web.list_request import single
from kamioi_web.money import money
from kamioi_web.pages import MAPPINGS
from kamioi_web.queries import quality as queries
from kamioi_web.queries import review
from kamioi_web.queries.quality import Agreement, Cost, Fared
from kamioi_web.request_context import database_connection, settings_of
from kamioi_web.review import counts
from kamioi_web.security import Refused
from kamioi_web.text import LABELS, age_text, day_text, moment_text, number_text, percent_text

ROLE = "reviewer"  # to upload a file, and to have one
HREF = quality_run.HREF
REVIEW = f"{MAPPINGS.href}/review"
STRETCHES = (7, 30, 90)  # days
COST_DAYS = CHART_DAYS = 30
RUNS = 10
NO_DECISION = "no decision yet"


def register(pages: Blueprint) -> None:
    """Give the page and the mistakes of a run their URLs."""
    pages.add_url_rule(HREF, endpoint="quality", view_func=show)
    pages.add_url_rule(f"{HREF}/<int:id>/mistakes", endpoint="quality/mistakes", view_func=send_mistakes)


def show() -> str:
    """The figures of today, and those of the run that is asked for, or of the newest that is done."""
    values = request.args.to_dict(flat=False)
    filters.refuse_unknown(values, ("job",))
    job = single(values, "job")
    return _page(filters.number(job, "job") if job else None)


def show_problem(problem: str) -> Response:
    """The page with what is wrong with the file that its form brought."""
    response = current_app.make_response(_page(None, problem))
    response.status_code = 400
    return response


def send_mistakes(id: int) -> Response:
    """Every mistake of a run, as CSV: for reviewers and for whoever ordered it."""
    row = queries.find_run(database_connection(), id)
    if not (row.admin_id == g.admin.id or g.admin.may(ROLE)):
        raise Refused(f"The mistakes as a file take the role {ROLE}; yours is {g.admin.role}.")
    path = quality.mistakes_of(settings_of(), row)
    if path is None:
        raise NotFound("There is no file of these mistakes: the run is not done, or it is too old. Measure again.")
    name = f"{row.parameters['file_name']}.mistakes.csv"
    response = send_file(path, "text/csv; charset=utf-8", as_attachment=True, download_name=name, conditional=False)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(job: int | None, problem: str = "") -> str:
    connection, now = database_connection(), datetime.now(UTC)
    today = now.date()
    fared = {days: queries.agreement(connection, today, days) for days in STRETCHES}
    cost = queries.cost(connection, today, COST_DAYS)
    runs = queries.newest_runs(connection, RUNS)
    run = queries.find_run(connection, job) if job else next((row for row in runs if row.state == "done"), None)
    return render_template(
        "quality.html",
        tiles=[*_waiting(connection, now), _agreed(fared[CHART_DAYS]), _made(cost)],
        agreement=_agreement(fared),
        decisions=_decisions(connection, today),
        model=_model(connection, cost, now),
        run=quality_run.run(row=run, may=g.admin.may(ROLE)) if run else None,
        runs=[quality_run.line(row, run) for row in runs],
        problem=problem,
        may=g.admin.may(ROLE),
        has_model=_is_set_up(),
        most=settings_of().upload_mb,
        mappings_href=MAPPINGS.href,
        review_href=REVIEW,
    )


def _waiting(connection: Connection, now: datetime) -> list[dict[str, str]]:
    """How long the queue is and since when, and the money of transactions that wait for their merchant."""
    n, oldest, sums = review.waiting(connection), review.oldest(connection), review.money_waiting(connection)
    age = f"the oldest for {age_text((now - oldest).total_seconds())}" if oldest else "nothing waits"
    texts = [money(row.amount_cents, row.currency) for row in sums]
    rest = [*texts[1:], f"{number_text(sum(row.n for row in sums))} transactions"]
    return [
        {"label": "Waiting for review", "value": number_text(n), "href": REVIEW, "note": age},
        {
            "label": "Money waiting",
            "value": texts[0] if texts else "none",
            "note": " · ".join(rest) if texts else "no transaction waits",
        },
    ]


def _agreed(found: Agreement) -> dict[str, str]:
    of = f"{number_text(found.whole.agreed)} of {number_text(found.whole.decided)} proposals, {CHART_DAYS} days"
    value = percent_text(found.whole.agreed / found.whole.decided) if found.whole.decided else NO_DECISION
    return {"label": "Admins agree", "value": value, "note": of if found.whole.decided else f"in {CHART_DAYS} days"}


def _made(cost: Cost) -> dict[str, str]:
    note = f"{number_text(cost.names)} asked, {COST_DAYS} days" if cost.names else f"in {COST_DAYS} days"
    return {"label": "Model, per 1,000 names", "value": _per_thousand(cost), "note": note}


def _per_thousand(cost: Cost) -> str:
    if not cost.names:
        return "nothing asked yet"
    if not cost.micro_cents:
        return "no price set"
    return _cents(cost.micro_cents * 1000 / cost.names)


def _cents(micro_cents: float) -> str:
    cents = micro_cents / 1_000_000
    return f"{cents:,.2f} cents" if cents >= 0.1 else f"{cents:,.4f} cents"


def _agreement(fared: dict[int, Agreement]) -> dict[str, Any]:
    """Two tables over the stretches of days: by who proposed, and by how surely."""
    longest = fared[STRETCHES[-1]]
    left_out = longest.unproposed
    return {
        "days": STRETCHES,
        "sources": [
            (LABELS.get(source, source), [_share(one.sources.get(source, Fared())) for one in fared.values()])
            for source in sorted(longest.sources)
        ],
        "bands": [
            (quality_run.band_text(tenth), [_share(one.bands.get(tenth, Fared())) for one in fared.values()])
            for tenth in sorted(longest.bands, reverse=True)
        ],
        "whole": [_share(one.whole) for one in fared.values()],
        "note": f"{number_text(left_out)} decisions in {STRETCHES[-1]} days about merchants for which nothing was "
        "proposed are left out." if left_out else "",
    }  # fmt: skip


def _share(fared: Fared) -> dict[str, str]:
    if not fared.decided:
        return {"share": NO_DECISION, "of": ""}
    return {"share": percent_text(fared.agreed / fared.decided), "of": f"of {number_text(fared.decided)}"}


def _decisions(connection: Connection, today: date) -> dict[str, Any] | None:
    """Decisions a day, as a chart; None where there was none."""
    first = today - timedelta(days=CHART_DAYS - 1)
    found = counts.by_day(connection, first, today)
    if not any(found.values()):
        return None
    days = [first + timedelta(days=at) for at in range(CHART_DAYS)]
    figures = [Figure(found.get(day, 0), number_text(found.get(day, 0))) for day in days]
    labels = [Label(f"{day.day} {day:%b}", day_text(day.isoformat())) for day in days]
    title = f"Decisions a day, {CHART_DAYS} days"
    return charts.line("decisions", title, labels, [Line("decisions", figures)], lambda n: number_text(round(n)))


def _model(connection: Connection, cost: Cost, now: datetime) -> list[tuple[str, str]]:
    """Whether there is a model, whether it is asked, and what it did."""
    name = settings_of().llm_model or ""
    told = [("Model", name if _is_set_up() else "none is set up (KAMIOI_LLM_URL, KAMIOI_LLM_MODEL)")]
    if _is_set_up():
        rest = queries.left_alone(connection, name, now)
        alone = f"left alone until {moment_text(rest.open_until)}. {rest.reason or ''}" if rest else "is asked"
        told.append(("State", alone.strip()))
    if not cost.calls:
        return [*told, ("Use", f"nothing was asked in {COST_DAYS} days")]
    return [
        *told,
        ("Merchants asked", number_text(cost.names)),
        ("Calls", f"{number_text(cost.calls)}, {number_text(cost.failures)} failed"),
        ("Tokens", number_text(cost.tokens)),
        ("Cost", _cents(cost.micro_cents) if cost.micro_cents else "no price set (KAMIOI_LLM_CENTS_IN, _OUT)"),
        ("Per 1,000 merchants", _per_thousand(cost)),
    ]


def _is_set_up() -> bool:
    return bool(settings_of().llm_url and settings_of().llm_model)
