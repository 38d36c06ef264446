"""Holds requests and answers of Get_Workers against the schema in Workday's own WSDL.

    workday_schema.py WSDL < [[request, answer], ...]

Prints one JSON object: how many were valid, and what was wrong with the others.
"""
import json
import sys

from lxml import etree

XSD = "{http://www.w3.org/2001/XMLSchema}"
ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
wsdl = etree.parse(sys.argv[1])
schema = etree.XMLSchema(etree.ElementTree(wsdl.find(".//" + XSD + "schema")))
valid, wrong = 0, []
for exchange in json.load(sys.stdin):
    for text in exchange:
        envelope = etree.fromstring(text.encode())
        operation = envelope.find(ENVELOPE + "Body")[0]
        if operation.tag == ENVELOPE + "Fault":
            operation = None if operation.find("detail") is None else operation.find("detail")[0]
            if operation is not None and not schema.validate(operation):
                wrong.append(str(schema.error_log.last_error))
        elif schema.validate(operation):
            valid += 1
        else:
            wrong.append(str(schema.error_log.last_error))
json.dump({"valid": valid, "wrong": wrong}, sys.stdout)
