"""Reads a simulated BambooHR with a client that somebody else wrote.

    bamboohr.py BASE_URL COMPANY_DOMAIN < api_key

Prints one JSON object: who is there and who manages them.
"""
import json
import sys

from PyBambooHR.PyBambooHR import PyBambooHR

base, company = sys.argv[1:]
client = PyBambooHR(subdomain=company, api_key=sys.stdin.read().strip())
client.base_url = client.base_url.replace("https://api.bamboohr.com", base)
directory = client.get_employee_directory()
emails = {person["id"]: person["workEmail"] for person in directory}
managers = {}
for person in directory:
    found = client.get_employee(int(person["id"]), ["workEmail", "supervisorEId"])
    managers[found["workEmail"]] = emails.get(found["supervisorEId"])
fields = client.get_meta_fields()
json.dump({"managers": managers, "fields": len(fields)}, sys.stdout)
