#!/usr/bin/env python3
"""Extracts facts from SAP's specification of Employment Information into facts.json beside this file.

Usage: extract.py SPEC

SPEC is ECEmploymentInformation.json of the SAP Business Accelerator Hub, saved
to a file. Kept are facts only: paths, query options, and for the entities that
are read the names and types of their properties. No prose is taken over. The
entities of Person Information are in another document, which needs a sign-in:
what is known of them is what the published answers show.
"""

import json
import pathlib
import sys

ENTITIES = ["EmpJob", "EmpEmployment", "EmpEmploymentTermination"]


def main():
    spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
    entities = {}
    for name in ENTITIES:
        properties = {}
        for key, schema in spec["definitions"][name]["properties"].items():
            kinds = schema.get("type")
            navigates = kinds is None or kinds == "object"
            kinds = ["navigation"] if navigates else [kinds] if isinstance(kinds, str) else kinds
            properties[key] = {"types": kinds, "format": schema.get("format")}
        paths = [path for path in spec["paths"] if path.split("(")[0] == f"/{name}"]
        entities[name] = {"paths": paths, "properties": dict(sorted(properties.items()))}
    options = {
        parameter["name"]
        for path in spec["paths"].values()
        for parameter in path.get("get", {}).get("parameters", [])
        if "name" in parameter
    } | {parameter["name"] for parameter in spec["parameters"].values()}
    out = {
        "source": "Employment Information 1.0, SAP Business Accelerator Hub",
        "base": spec["x-servers"][0]["url"],
        "options": sorted(option for option in options if option.startswith("$")),
        "entities": entities,
    }
    place = pathlib.Path(__file__).with_name("facts.json")
    place.write_text(json.dumps(out, indent=1) + "\n")


main()
