"""The OpenAPI document, made of the endpoints: their parameters are those that the lists read, their answers types."""

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from kamioi_web.api.answers import Error
from kamioi_web.api.endpoint import Endpoint
from kamioi_web.api.lists import OtherName
from kamioi_web.filters import MOST, Parameter

VARIABLE = re.compile(r"<int:(\w+)>")
ABOUT = "Everything that the pages show, from the same queries. Lists are read by page or by cursor, at any depth."
ERRORS = {
    400: "A parameter is unknown, malformed or given twice; the answer names it.",
    401: "No token, or one that is wrong, expired or revoked.",
    403: "The token's scope or the admin's role is not enough.",
    404: "There is no such thing, or a filter names a user or a merchant that does not exist.",
    409: "It is in another state by now, so that cannot be done.",
    422: "The Idempotency-Key came with another request before.",
    429: "Too many logins have failed; Retry-After says how long to wait.",
    503: "The database is busy, or the question took too long. Try again, or narrow the filter.",
}
OPEN = (400, 401, 403, 429, 503)  # errors of an endpoint that needs no token
GUARDED = (400, 401, 403, 404, 503)
WRITING = (*GUARDED, 409, 422)
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Sent again with the same key within a day, the request acts once and is answered the same.",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"},
}


class Exact(GenerateJsonSchema):
    """JSON Schema whose objects have the keys that are named and no others; titles that say nothing are left out."""

    def typed_dict_schema(self, schema: Any) -> dict[str, Any]:
        return super().typed_dict_schema(schema) | {"additionalProperties": False}

    def model_schema(self, schema: Any) -> dict[str, Any]:
        return super().model_schema(schema) | {"additionalProperties": False}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def make(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    kinds = {("Error", "answer"): Error}
    kinds |= {(endpoint.name, "answer"): endpoint.answer for endpoint in endpoints}
    kinds |= {(endpoint.name, "body"): endpoint.body for endpoint in endpoints if endpoint.body}
    inputs: Any = [(key, "serialization", TypeAdapter(kind)) for key, kind in kinds.items()]
    found, shared = TypeAdapter.json_schemas(
        inputs, ref_template="#/components/schemas/{model}", schema_generator=Exact
    )
    schemas: Any = {key[0]: schema for key, schema in found.items()}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas)
        paths.setdefault(VARIABLE.sub(r"{\1}", endpoint.path), {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kamioi Web", "version": version("kamioi-web"), "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {"schemas": shared["$defs"], "responses": _errors(schemas), "securitySchemes": _schemes()},
    }


def _operation(endpoint: Endpoint, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    places = [_variable(name) for name in VARIABLE.findall(endpoint.path)]
    places += [KEY] if endpoint.keyed else []
    errors = OPEN if endpoint.open else GUARDED if endpoint.method == "GET" else WRITING
    answer = {"description": endpoint.title, "content": _json(schemas[endpoint.name, "answer"])}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.group],
        "summary": endpoint.title,
        **({"description": endpoint.about} if endpoint.about else {}),
        "parameters": [*places, *(describe(parameter) for parameter in endpoint.parameters)],
        "responses": {
            str(endpoint.status): answer,
            **{str(code): {"$ref": f"#/components/responses/{code}"} for code in errors},
        },
    }
    if endpoint.body:
        content = _json(schemas[endpoint.name, "body"])
        operation["requestBody"] = {"required": _needed(endpoint.body), "content": content}
    return operation | ({"security": []} if endpoint.open else {})


def _needed(body: type[BaseModel]) -> bool:
    """Whether a body has a field that must be given."""
    return any(field.is_required() for field in body.model_fields.values())


def describe(parameter: Parameter) -> dict[str, Any]:
    """A parameter as OpenAPI says it, by what its reader takes."""
    takes = dict(parameter.read.takes)
    words = [f"{parameter.about or parameter.label}.", takes.pop("description", "")]
    if isinstance(parameter, OtherName):
        words.append(f"Another name of “{parameter.of}”.")
    if parameter.many:
        words.append("May be repeated, for any of the values.")
        takes = {"type": "array", "items": takes, "maxItems": MOST}
    description = " ".join(word for word in words if word)
    empty = {"allowEmptyValue": True}  # it counts as not given: forms and old clients send their empty fields too
    return {"name": parameter.name, "in": "query", "description": description, **empty, "schema": takes}


def _variable(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
    return {"name": name, "in": "path", "required": True, "description": "Its id.", "schema": schema}


def _errors(schemas: Mapping[Any, Any]) -> dict[str, Any]:
    content = _json(schemas["Error", "answer"])
    return {str(code): {"description": words, "content": content} for code, words in ERRORS.items()}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _schemes() -> dict[str, Any]:
    return {
        "token": {"type": "http", "scheme": "bearer", "description": "A token made under Settings, or by logging in."},
        "session": {"type": "apiKey", "in": "cookie", "name": "kamioi_session", "description": "A browser's login."},
    }
