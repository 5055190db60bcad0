"""What a JSON Schema looks like to a reader: an example of it, and its fields one by one."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schemas = Mapping[str, Any]


class Field(NamedTuple):
    """One field: where it is in the answer (data.mappings[].id), its type, and what it is."""

    path: str
    kind: str
    about: str


def example(schema: Mapping[str, Any], schemas: Schemas) -> Any:
    """A value that the schema takes, of the examples that it gives where it gives any."""
    schema = _resolved(schema, schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", [])), None))
    if "properties" in schema:
        return {name: example(part, schemas) for name, part in schema["properties"].items()}
    if schema.get("type") == "array":
        return [example(schema["items"], schemas)]
    return {"integer": 42, "number": 12.5, "boolean": True, "string": "…"}.get(schema.get("type", ""))


def fields(schema: Mapping[str, Any], schemas: Schemas, under: str = "") -> Iterator[Field]:
    """Every field, the ones inside after the one that holds them."""
    schema = _resolved(schema, schemas)
    if schema.get("type") == "array":
        yield from fields(schema["items"], schemas, f"{under}[]")
    for name, part in schema.get("properties", {}).items():
        path = f"{under}.{name}" if under else name
        whole = _resolved(part, schemas)
        yield Field(path, _kind(part, schemas), whole.get("description", ""))
        yield from fields(part, schemas, path)


def _resolved(schema: Mapping[str, Any], schemas: Schemas) -> Mapping[str, Any]:
    """The schema itself where it only names another, and what is not null where it may be null."""
    if "anyOf" in schema:
        kept = {name: value for name, value in schema.items() if name != "anyOf"}
        part = next((part for part in schema["anyOf"] if part.get("type") != "null"), schema["anyOf"][0])
        return {**_resolved(part, schemas), **kept}
    if "$ref" in schema:
        kept = {name: value for name, value in schema.items() if name != "$ref"}
        return {**_resolved(schemas[schema["$ref"].rpartition("/")[2]], schemas), **kept}
    return schema


def _kind(schema: Mapping[str, Any], schemas: Schemas) -> str:
    whole = _resolved(schema, schemas)
    null = " or null" if any(part.get("type") == "null" for part in schema.get("anyOf", [])) else ""
    if "enum" in whole:
        return ", ".join(str(word) for word in whole["enum"]) + null
    if "const" in whole:
        return str(whole["const"]).lower() + null
    return {"date-time": "moment"}.get(whole.get("format", ""), whole.get("type", "any")) + null
