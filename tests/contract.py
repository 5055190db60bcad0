"""Holding answers of the API against its own document."""

import re
from functools import lru_cache
from typing import Any

from jsonschema import FormatChecker
from jsonschema.validators import Draft202012Validator

from kamioi_web.api import document
from kamioi_web.api.endpoints import ENDPOINTS

FORMATS = FormatChecker(["date-time"])


@lru_cache(maxsize=1)
def the_document() -> dict[str, Any]:
    """The document as the API gives it."""
    return document.make(ENDPOINTS)


def schema_of(path: str, method: str = "get", status: int = 200) -> dict[str, Any] | None:
    """What the document says of that answer; None when it says nothing."""
    asked = path.partition("?")[0]
    for known, operations in the_document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[0-9]+", known), asked) and method in operations:
            answer = operations[method]["responses"].get(str(status), {})
            if "$ref" in answer:
                answer = the_document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            return answer.get("content", {}).get("application/json", {}).get("schema")
    return None


def assert_as_described(path: str, answer: Any, method: str = "get") -> Any:
    """Fail unless the document tells of this answer and the answer is as it tells; gives the answer's content."""
    schema = schema_of(path, method, answer.status_code)
    assert schema, f"the document tells of no {answer.status_code} at {method} {path}"
    assert answer.content_type == "application/json"
    whole = {"components": the_document()["components"], **schema}
    errors = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(whole, format_checker=FORMATS).iter_errors(answer.json)
    ]
    assert not errors, (path, errors[:5])
    return answer.json
