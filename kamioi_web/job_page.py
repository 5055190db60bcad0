"""The page of one job, its progress as a fragment that asks anew, and the same as JSON."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, render_template, request

from kamioi_web import detail, import_result, job_results, quality_run
from kamioi_web.api.objects import JobAnswer
from kamioi_web.auth.guard import require_role
from kamioi_web.jobs import changing, store
from kamioi_web.jobs.kinds import KINDS
from kamioi_web.jobs.tables import LABELS, OPEN_STATES
from kamioi_web.list_request import parse_list, single
from kamioi_web.pages import JOBS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries import job_cells, job_list
from kamioi_web.queries.audit_events import SYSTEM
from kamioi_web.request_context import database_connection
from kamioi_web.sql_types import AnyRow
from kamioi_web.text import age_text, iso_text, moment_text, number_text

LEFT_SHOWN = 100
ACTIONS = {
    "waiting": (("pause", "Pause"), ("cancel", "Cancel")),
    "running": (("pause", "Pause"), ("cancel", "Cancel")),
    "paused": (("resume", "Go on"), ("cancel", "Cancel")),
    "failed": (("retry", "Try again"),),
    "cancelled": (("retry", "Go on after all"),),
}
SHOWN_AS = {"import": import_result.shown, "quality": quality_run.shown}  # what a kind shows otherwise than the rest
WORDS = {
    "changed": "{} changed",
    "left": "{} left as they are",
    "differences": "{} differences",
    "approved": "{} approved at once",
    "waiting": "{} wait for review",
    "unanswered": "{} not answered",
}
PAGES_OF = {"transaction": "/transactions", "mapping": "/llm-center"}  # where what was left is shown


def register(pages: Blueprint) -> None:
    """Give one job its URLs."""
    guarded = require_role(JOBS.role)
    pages.add_url_rule(f"{JOBS.href}/<int:id>", endpoint="job", view_func=guarded(show))
    pages.add_url_rule(f"{JOBS.href}/<int:id>/state", endpoint="job/state", view_func=guarded(show_state))
    pages.add_url_rule(f"{JOBS.href}/<int:id>.json", endpoint="job/json", view_func=guarded(show_json))
    pages.add_url_rule(f"{JOBS.href}/<int:id>/file", endpoint="job/file", view_func=guarded(job_results.download))


def show(id: int) -> str:
    """Everything about one job; the filter in the URL decides which are beside it."""
    asked = parse_list(JOBS.href, job_list.PARAMETERS, request.args.to_dict(flat=False), ("at",))
    row = job_list.find(database_connection(), id)
    return render_template(
        "jobs_detail.html",
        job=_shown(row),
        steps=detail.steps(JOBS, asked, Cursor(row.created_at, row.id)),
        history=detail.events_of(database_connection(), "job", id),
        json_href=f"{JOBS.href}/{id}.json",
    )


def show_state(id: int) -> Response:
    """The progress alone; the whole of the job's state where that is another than the page knows."""
    known = single(request.args.to_dict(flat=False), "known")
    row = job_list.find(database_connection(), id)
    changed = known != f"{row.state}{row.wish}"
    name = "state" if changed else "progress"
    response = current_app.make_response(render_template(f"jobs/{name}.html", job=_shown(row)))
    response.headers["X-Fragment"] = "1"
    if changed:
        response.headers |= {"HX-Retarget": "#job", "HX-Reswap": "outerHTML"}
    return response


def show_json(id: int) -> Any:
    """One job as the list's JSON gives it."""
    parse_list(JOBS.href, (), request.args.to_dict(flat=False), ("at",))
    answer: JobAnswer = {"success": True, "job": job_cells.as_json(job_list.find(database_connection(), id))}
    return jsonify(answer)


def _shown(row: AnyRow) -> dict[str, Any]:
    share = _share(row)
    return {
        "id": row.id,
        "title": row.title,
        "kind": LABELS.get(row.kind, row.kind),
        "who": row.admin or SYSTEM,
        "state": {"pause": "pausing", "cancel": "cancelling"}.get(row.wish, row.state),
        "look": job_cells.LOOKS[row.state],
        "tab": f"{share:.0%} · " if share is not None and row.state in OPEN_STATES else f"{row.state} · ",
        "open": row.state in ("waiting", "running"),
        "state_href": f"{JOBS.href}/{row.id}/state?known={row.state}{row.wish}",
        "share": 1 if row.state == "done" else share,
        "progress": f"{job_cells.progress_text(row)} rows" if row.rows_done or row.rows_total else "",
        "pace": _pace(row),
        "error": row.error,
        "notes": _notes(row),
        "ordered": moment_text(row.created_at),
        "ordered_iso": iso_text(row.created_at),
        "about": _about(row),
        "file": job_results.file_of(row),
        "links": job_results.links(row),
        "actions": _actions(row),
        "lines": [_line(line) for line in store.lines(database_connection(), row.id)],
        **_left(row),
        **SHOWN_AS.get(row.kind, lambda row: {})(row),
    }


def _share(row: AnyRow) -> float | None:
    return min(1.0, row.rows_done / row.rows_total) if row.rows_total else None


def _pace(row: AnyRow) -> str:
    """How fast it is and how long it will take; nothing before there is anything to tell it from."""
    if row.state == "waiting":
        return "waits for a worker"
    if row.state != "running" or not row.rows_done:
        return ""
    seconds = max(0.1, (datetime.now(UTC) - row.started_at).total_seconds())
    rate = row.rows_done / seconds
    left = (row.rows_total - row.rows_done) / rate if row.rows_total else None
    return f"{number_text(round(rate))} a second" + (
        f", about {age_text(max(left, 0))} left" if left is not None else ""
    )


def _notes(row: AnyRow) -> list[str]:
    told = [WORDS[name].format(number_text(n)) for name, n in row.result.items() if name in WORDS]
    return [", ".join(told)] if told else job_results.notes(row)


def _about(row: AnyRow) -> list[tuple[str, str, str]]:
    found = [("Began", moment_text(row.started_at), "")] if row.started_at else []
    found += [("Finished", moment_text(row.finished_at), "")] if row.finished_at else []
    found += [("Undoes", f"job {row.undo_of}", f"{JOBS.href}/{row.undo_of}")] if row.undo_of else []
    found += [("Undone by", f"job {row.undone_by}", f"{JOBS.href}/{row.undone_by}")] if row.undone_by else []
    return found


def _actions(row: AnyRow) -> list[dict[str, str]]:
    mine = row.admin_id == g.admin.id or g.admin.may("operator")
    found = list(ACTIONS.get(row.state, ())) if mine and row.undone_by is None else []
    kind = KINDS.get(row.kind)
    if kind and kind.begins_anew:  # a pause would lose what is done
        found = [action for action in found if action[0] != "pause"]
    over = row.state not in OPEN_STATES and row.undone_by is None
    undoable = kind and kind.take_back and not row.result.get("final")
    if undoable and over and row.result.get("changed") and g.admin.may("operator"):
        found.append(("undo", "Undo"))
    return [{"href": f"{JOBS.href}/{row.id}/{wish}", "label": label} for wish, label in found]


def _line(line: AnyRow) -> dict[str, str]:
    return {"at_iso": iso_text(line.at), "at": moment_text(line.at), "text": line.text}


def _left(row: AnyRow) -> dict[str, Any]:
    """The first of the rows that were left as they are."""
    count = row.result.get("left", 0)
    left = list(changing.left_by(database_connection(), row.id, LEFT_SHOWN)) if count else []
    shown = [
        {
            "id": one.subject_id,
            "what": one.subject,
            "href": f"{PAGES_OF[one.subject]}/{one.subject_id}?at={Cursor(one.at, one.subject_id)}",
            "why": one.note,
        }
        for one in left
    ]
    more = f"These are the first {number_text(len(left))} of {number_text(count)}." if count > len(left) else ""
    return {"left": shown, "left_more": more}
