"""The document of the API: as OpenAPI for programs, and as a page for people."""

import json
from functools import lru_cache
from itertools import groupby
from typing import Any

from flask import Blueprint, jsonify, render_template, request

from kamioi_web.api import document, shape
from kamioi_web.api.endpoint import Endpoint
from kamioi_web.api.endpoints import ENDPOINTS
from kamioi_web.auth import limits
from kamioi_web.filters import LONGEST, MOST
from kamioi_web.request_context import settings_of


def register(pages: Blueprint) -> None:
    """Give the document its URLs."""
    pages.add_url_rule("/api", endpoint="api", view_func=show)
    pages.add_url_rule("/api/openapi.json", endpoint="api/openapi", view_func=show_document)


def show_document() -> Any:
    """The document as OpenAPI."""
    return jsonify(_document())


def show() -> str:
    """The document as a page, with an example of each call."""
    groups = groupby((_shown(endpoint) for endpoint in ENDPOINTS), lambda shown: shown["group"])
    return render_template(
        "api.html",
        groups=[(name, list(parts)) for name, parts in groups],
        root=request.url_root.rstrip("/"),
        errors=document.ERRORS,
        error=_text(shape.example(_schemas()["Error"], _schemas())),
        most=MOST,
        longest=LONGEST,
        days=settings_of().session_days,
        failures=limits.ACCOUNT_LIMIT,
        minutes=limits.ACCOUNT_WINDOW.seconds // 60,
    )


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return document.make(ENDPOINTS)


def _schemas() -> dict[str, Any]:
    return _document()["components"]["schemas"]


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    path = document.VARIABLE.sub(r"{\1}", endpoint.path)
    operation = _document()["paths"][path][endpoint.method.lower()]
    answer = operation["responses"][str(endpoint.status)]["content"]["application/json"]["schema"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "name": endpoint.name,
        "group": endpoint.group,
        "method": endpoint.method,
        "path": path,
        "title": endpoint.title,
        "about": endpoint.about,
        "role": endpoint.role,
        "open": endpoint.open,
        "parameters": [_parameter(parameter) for parameter in operation["parameters"]],
        "call": document.VARIABLE.sub("42", endpoint.path) + endpoint.example,
        "body": json.dumps(shape.example(body, _schemas()), ensure_ascii=False) if body else "",
        "answer": _text(shape.example(answer, _schemas())),
        "fields": list(shape.fields(answer, _schemas())),
    }


def _parameter(described: dict[str, Any]) -> dict[str, Any]:
    schema = described["schema"]
    inner = schema.get("items", schema)
    takes = ", ".join(inner["enum"]) if "enum" in inner else inner.get("format", inner["type"])
    return {"name": described["name"], "about": described["description"], "takes": takes, "many": "items" in schema}


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
