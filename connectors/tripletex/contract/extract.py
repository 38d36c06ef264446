#!/usr/bin/env python3
"""Extracts facts from Tripletex' OpenAPI document into openapi.json beside this file.

Usage: extract.py SPEC

SPEC is the vendor's own document (https://tripletex.no/v2/openapi.json, saved
to a file). Kept are facts only: paths, methods, parameters with their types,
status codes, and schemas with property names, types, formats, limits and
listed values. No prose is taken over: no description, summary, title, example
or tag.
"""

import json
import pathlib
import sys

PATHS = [
    "/token/session/:create",
    "/token/session/{token}",
    "/token/session/>whoAmI",
    "/company/>withLoginAccess",
    "/company/{id}",
    "/country",
    "/department",
    "/department/{id}",
    "/department/list",
    "/department/query",
    "/division",
    "/employee",
    "/employee/{id}",
    "/employee/list",
    "/employee/employment",
    "/employee/employment/{id}",
    "/employee/employment/details",
    "/employee/employment/details/{id}",
    "/employee/employment/occupationCode",
    "/employee/entitlement",
    "/employee/entitlement/:grantEntitlementsByTemplate",
]

# Named by no operation of the document, answered by every refused call.
ERROR_SCHEMA = "ApiError"

SCHEMA_FACTS = ["$ref", "type", "format", "enum", "minimum", "maximum", "readOnly"]


def schema_facts(schema):
    """A schema without its prose."""
    facts = {name: schema[name] for name in SCHEMA_FACTS if name in schema}
    if "items" in schema:
        facts["items"] = schema_facts(schema["items"])
    if "properties" in schema:
        facts["properties"] = {
            name: schema_facts(inner) for name, inner in schema["properties"].items()
        }
    if isinstance(schema.get("additionalProperties"), dict):
        facts["additionalProperties"] = schema_facts(schema["additionalProperties"])
    return facts


def content_facts(holder):
    """The JSON content of a body or an answer."""
    content = {}
    for media_type, inner in holder.get("content", {}).items():
        schema = (inner or {}).get("schema")
        content[media_type] = {"schema": schema_facts(schema)} if schema else {}
    return content


def operation_facts(operation):
    """One method of a path."""
    facts = {}
    parameters = [
        {
            "name": parameter["name"],
            "in": parameter["in"],
            "required": parameter.get("required", False),
            "schema": schema_facts(parameter["schema"]),
        }
        for parameter in operation.get("parameters", [])
    ]
    if parameters:
        facts["parameters"] = parameters
    if "requestBody" in operation:
        body = operation["requestBody"]
        facts["requestBody"] = {
            "required": body.get("required", False),
            "content": content_facts(body),
        }
    facts["responses"] = {
        status: {"description": "", "content": content_facts(answer)}
        for status, answer in operation["responses"].items()
    }
    return facts


def references(facts):
    """The names of all schemas that these facts point to."""
    if isinstance(facts, dict):
        for name, value in facts.items():
            if name == "$ref" and isinstance(value, str):
                yield value.rsplit("/", 1)[-1]
            else:
                yield from references(value)
    elif isinstance(facts, list):
        for value in facts:
            yield from references(value)


def extract(document):
    """The facts of the whole document that the connector needs."""
    paths = {
        path: {
            method: operation_facts(operation)
            for method, operation in document["paths"][path].items()
        }
        for path in PATHS
    }
    schemas = {}
    wanted = sorted(set(references(paths)) | {ERROR_SCHEMA})
    while wanted:
        name = wanted.pop()
        if name not in schemas:
            schemas[name] = schema_facts(document["components"]["schemas"][name])
            wanted.extend(references(schemas[name]))
    return {
        "openapi": "3.0.1",
        "info": {
            "title": "Facts from the Tripletex API document",
            "version": document["info"]["version"],
        },
        "servers": [{"url": "https://tripletex.no/v2"}],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as source:
        facts = extract(json.load(source))
    target = pathlib.Path(__file__).with_name("openapi.json")
    target.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
