#!/usr/bin/env python3
"""Makes openapi.json: facts of Google's Directory API that our simulator is held against.

    extract.py DISCOVERY.json > openapi.json

DISCOVERY.json is the vendor's discovery document `admin:directory_v1`. Paths,
parameters, property names and types are taken over, and nothing that is written
for people. Lists whose items the document leaves open stay open.
"""
import json
import sys

document = json.load(open(sys.argv[1], encoding="utf-8"))
WANTED = {
    "users": {"list", "get", "insert", "patch", "update", "delete", "undelete"},
    "orgunits": {"list"},
}


def schema(source):
    if "$ref" in source:
        return {"$ref": "#/components/schemas/" + source["$ref"]}
    result = {}
    if source.get("type", "any") != "any":
        result["type"] = source["type"]
    if "enum" in source:
        result["enum"] = source["enum"]
    if "items" in source:
        result["items"] = schema(source["items"])
    if "properties" in source:
        result["properties"] = {name: schema(value) for name, value in source["properties"].items()}
    if "additionalProperties" in source:
        result["additionalProperties"] = schema(source["additionalProperties"])
    return result


def used(value, names):
    if isinstance(value, dict):
        if "$ref" in value:
            name = value["$ref"].rsplit("/", 1)[-1]
            if name not in names:
                names[name] = schema(document["schemas"][name])
                used(names[name], names)
        for inner in value.values():
            used(inner, names)
    elif isinstance(value, list):
        for inner in value:
            used(inner, names)


paths = {}
for resource, methods in WANTED.items():
    for name, method in document["resources"][resource]["methods"].items():
        if name not in methods:
            continue
        parameters = [
            {
                "name": name,
                "in": parameter["location"],
                "required": parameter.get("required", False),
                "schema": {key: parameter[key] for key in ("type", "enum") if key in parameter},
            }
            for name, parameter in method.get("parameters", {}).items()
        ]
        parameters += [
            {"name": name, "in": "query", "schema": {"type": "string"}} for name in ("alt", "fields", "prettyPrint")
        ]
        answer = method.get("response")
        operation = {
            "parameters": parameters,
            "responses": {"200": {"content": {"application/json": {"schema": schema(answer)}}}}
            if answer
            else {"204": {}},
        }
        if "request" in method:
            operation["requestBody"] = {"content": {"application/json": {"schema": schema(method["request"])}}}
        paths.setdefault("/" + method["path"], {})[method["httpMethod"].lower()] = operation

schemas = {}
used(paths, schemas)
json.dump(
    {
        "openapi": "3.0.0",
        "info": {"title": "Facts of the Directory API", "version": document["revision"]},
        "servers": [{"url": document["rootUrl"].rstrip("/")}],
        "paths": paths,
        "components": {"schemas": schemas},
    },
    sys.stdout,
    indent=1,
)
print()
