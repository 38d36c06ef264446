#!/usr/bin/env python3
"""Makes openapi.json: facts of BambooHR's interface that our simulator is held against.

    extract.py RECORDED.json > openapi.json

The vendor publishes no document; RECORDED.json holds answers of its interface
(`{"GET /v1/…": answer}` or `{"POST /v1/…": {"request": …, "response": …}}`) from
which names and types are taken. Paths and parameters are those of the vendor's
reference pages (documentation.bamboohr.com). Nobody's data is kept.
"""
import json
import sys

recorded = json.load(open(sys.argv[1], encoding="utf-8"))
text, flag, whole = {"type": "string"}, {"type": "string"}, {"type": "integer"}
# Objects whose names the account decides.
free_text = {"type": "object", "additionalProperties": text}


def shape(*samples):
    """The schema that all samples keep; a value that is null says nothing."""
    samples = [sample for sample in samples if sample is not None]
    kinds = {type(sample) for sample in samples}
    if kinds == {dict}:
        names = dict.fromkeys(name for sample in samples for name in sample)
        return {
            "type": "object",
            "properties": {name: shape(*(s[name] for s in samples if name in s)) for name in names},
        }
    if kinds == {list}:
        return {"type": "array", "items": shape(*(item for sample in samples for item in sample))}
    names = {str: "string", int: "integer", bool: "boolean", float: "number"}
    return {"type": names[kinds.pop()]} if len(kinds) == 1 else {}


def answer(key):
    value = recorded[key]
    return value.get("response", value) if isinstance(value, dict) and "request" in value else value


def listing(schema, name, items):
    schema["properties"][name] = {"type": "array", "items": items}
    return schema


directory = shape(answer("GET /v1/employees/directory"))
report = listing(shape(answer("POST /v1/reports/custom?format=JSON&onlyCurrent=true")), "employees", free_text)
dataset = listing(
    shape(answer("POST /v2/datasets/employee/data")),
    "data",
    {"type": "object", "properties": {"fields": free_text}},
)
dataset["properties"]["links"] = {}
webhook = shape(answer("POST /v1/webhooks"))
webhook["properties"]["postFields"] = {"type": "object", "additionalProperties": text}
webhook["properties"]["lastSent"] = text
report_request = {
    "type": "object",
    "properties": {
        "title": text,
        "fields": {"type": "array", "items": text},
        "filters": {
            "type": "object",
            "properties": {
                "lastChanged": {"type": "object", "properties": {"includeNull": text, "value": text}}
            },
        },
    },
}
dataset_request = {
    "type": "object",
    "properties": {
        "fields": {"type": "array", "items": text},
        "page": whole,
        "pageSize": whole,
        "filter": text,
        "orderBy": text,
    },
}
changed = {
    "type": "object",
    "properties": {
        "latest": text,
        "employees": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"id": text, "action": text, "lastChanged": text},
            },
        },
    },
}


def operation(schema, parameters=(), request=None, status="200", path=()):
    result = {
        "parameters": [{"name": n, "in": "query", "schema": s} for n, s in parameters]
        + [{"name": n, "in": "path", "required": True, "schema": text} for n in path],
        "responses": {
            status: {"content": {"application/json": {"schema": schema}}} if schema else {}
        },
    }
    if request:
        result["requestBody"] = {"content": {"application/json": {"schema": request}}}
    return result


current = ("onlyCurrent", flag)
json.dump(
    {
        "openapi": "3.0.0",
        "info": {"title": "Facts of the BambooHR interface", "version": "1"},
        "servers": [{"url": "https://company.bamboohr.com"}],
        "paths": {
            "/api/v1/company_information": {
                "get": operation({"type": "object", "properties": {"legalName": text, "displayName": text}})
            },
            "/api/v1/meta/fields": {"get": operation(shape(answer("GET /v1/meta/fields")))},
            "/api/v1/meta/lists": {
                "get": operation(shape(answer("GET /v1/meta/lists?format=json")), [("format", text)])
            },
            "/api/v1/employees/directory": {"get": operation(directory, [current])},
            "/api/v1/employees/changed": {"get": operation(changed, [("since", text), ("type", text)])},
            "/api/v1/employees/{id}": {
                "get": operation(free_text, [("fields", text), current], path=["id"])
            },
            "/api/v1/employees/{id}/tables/jobInfo": {
                "get": operation(shape(answer("GET /v1/employees/all/tables/jobInfo")), path=["id"])
            },
            "/api/v1/reports/custom": {
                "post": operation(report, [("format", text), current], report_request)
            },
            "/api/v2/datasets/employee/data": {"post": operation(dataset, request=dataset_request)},
            "/api/v1/webhooks": {
                "post": operation(webhook, request={"type": "object", "additionalProperties": {}}, status="201")
            },
        },
        "components": {"schemas": {}},
    },
    sys.stdout,
    indent=1,
    ensure_ascii=False,
)
print()
