#!/usr/bin/env python3
"""Writes openapi.json beside this file: the facts of Humaans' interface that the connector needs.

Usage: extract.py

The vendor publishes no document for machines. Paths, methods, parameters and
scopes are listed here by hand, from docs.humaans.io/api; the properties of
people and companies, and their types, are those of the published answers in
../fixtures/published.json. What no published answer shows (job roles,
locations) is listed here with the properties that independent integrations
use, and is marked with "x-confidence".
"""

import json
import pathlib

HERE = pathlib.Path(__file__).parent

# From two unrelated integrations; the vendor's own sample was not seen.
UNCONFIRMED = {
    "JobRole": ["id", "personId", "jobTitle", "department", "reportingTo", "effectiveDate",
                "endDate", "note"],
    "Location": ["id", "label", "city", "country", "timezone"],
}
LISTS = {"/api/people": "Person", "/api/companies": "Company",
         "/api/job-roles": "JobRole", "/api/locations": "Location"}
REFUSALS = ["401", "404", "422", "429"]


def shape(value):
    """The type of a published value; of null nothing is known."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer"}
    if isinstance(value, str):
        return {"type": "string"}
    if isinstance(value, list):
        return {"type": "array", "items": shape(value[0]) if value else {}}
    return {"type": "object", "properties": {name: shape(inner) for name, inner in value.items()}}


def json_of(schema):
    """The content of a JSON body."""
    return {"application/json": {"schema": schema}}


def reference(name):
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def operation(schema, parameters, body=None):
    """One method of a path."""
    facts = {"parameters": parameters}
    if body:
        facts["requestBody"] = {"required": True, "content": json_of(body)}
    facts["responses"] = {"200": {"description": "", "content": json_of(schema)}}
    for status in REFUSALS:
        facts["responses"][status] = {"description": "", "content": json_of(reference("Error"))}
    return facts


def parameter(name, place, kind, required=False):
    """A parameter."""
    return {"name": name, "in": place, "required": required, "schema": {"type": kind}}


def extract(published):
    """The facts."""
    schemas = {
        "Person": shape(published["people"]["answer"]["data"][0]),
        "Company": shape(published["companies"]["answer"]["data"][0]),
        "Error": {"type": "object", "properties": {
            "code": {"type": "string"}, "name": {"type": "string"}, "message": {"type": "string"},
            "issues": {"type": "array", "items": {"type": "object", "properties": {
                "path": {}, "message": {"type": "string"}}}}}},
    }
    for name, properties in UNCONFIRMED.items():
        schemas[name] = {"type": "object", "x-confidence": "unverified",
                         "properties": {property: {} for property in properties}}
    paths = {}
    pages = [parameter("$limit", "query", "integer"), parameter("$skip", "query", "integer")]
    for path, name in LISTS.items():
        envelope = {"type": "object", "required": ["total", "limit", "skip", "data"],
                    "properties": {
                        "total": {"type": "integer"}, "limit": {"type": "integer"},
                        "skip": {"type": "integer"},
                        "data": {"type": "array", "items": reference(name)}}}
        paths[path] = {"get": operation(envelope, pages)}
    by_id = [parameter("id", "path", "string", True)]
    person = reference("Person")
    paths["/api/people/{id}"] = {"get": operation(person, by_id),
                                 "patch": operation(person, by_id, person)}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Facts of the Humaans interface", "version": "1"},
        "servers": [{"url": "https://app.humaans.io"}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(sorted(schemas.items())),
        },
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
    }


def main():
    published = json.loads((HERE / "../fixtures/published.json").read_text(encoding="utf-8"))
    text = json.dumps(extract(published), indent=1, ensure_ascii=False)
    (HERE / "openapi.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
