"""The search as JSON: what holds a text, and likelier spellings of it."""

from typing import Any

from flask import g, jsonify, request

from kamioi_web import filters
from kamioi_web.api.search_objects import FoundRow, FoundSection, SearchAnswer
from kamioi_web.filters import Parameter
from kamioi_web.list_request import parse_list
from kamioi_web.pages import TRANSACTIONS
from kamioi_web.request_context import database_connection
from kamioi_web.search import results
from kamioi_web.search.results import Row, Section

PARAMETERS = (Parameter("q", "Text", filters.words, about="Words, a number or a name, without operators"),)


def show() -> Any:
    """Everything that holds the text; nothing when there is none."""
    asked = parse_list("/search", PARAMETERS, request.args.to_dict(flat=False))
    text, connection = asked.given.get("q", ""), database_connection()
    found = results.sections(connection, g.admin, text, TRANSACTIONS.counts(connection)) if text else []
    merchants = next((len(section.rows) for section in found if section.name == "merchants"), 0)
    better = results.corrections(connection, text, merchants, "/search", (("q", text),)) if text else []
    answer: SearchAnswer = {
        "success": True,
        "sections": [_section(section) for section in found],
        "corrections": [{"text": row.title, "figure": row.figure} for row in better],
    }
    return jsonify(answer)


def _section(section: Section) -> FoundSection:
    return {
        "name": section.name,
        "title": section.title,
        "rows": [_row(row) for row in section.rows],
        "more_href": section.more.href if section.more else None,
    }


def _row(row: Row) -> FoundRow:
    return {
        "title": row.title,
        "href": row.href,
        "code": row.code,
        "note": row.note,
        "figure": row.figure,
        "figure_href": row.figure_href,
        "money": row.money,
    }
