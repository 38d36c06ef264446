"""Reads a simulated SAP SuccessFactors with a client that somebody else wrote.

    sap_successfactors.py BASE_URL COMPANY_ID USER_ID < password

Prints one JSON object: who is there and who manages them.
"""
import json
import pathlib
import sys
import tempfile

from sapsf_shared import AuthConfig, CredentialStore, SFClient, SFClientError

base, company, user = sys.argv[1:]
password = sys.stdin.read().strip()
# Its store of credentials would lie in the home directory otherwise.
store = CredentialStore(service="muster-test", fallback_path=pathlib.Path(tempfile.gettempdir()) / "muster-sapsf.json")


def client(password):
    config = AuthConfig(base_url=base, company_id=company, username=user, password=password, store=store)
    return SFClient(config)


with client(password) as sap:
    connected, _ = sap.test_connection()
    # It goes on by its own $skip where a full page names no next one.
    jobs = sap.get("EmpJob", top=20, expand=["userNav", "managerUserNav"])
    # Pages of the server: it follows d.__next, and only to where it came from.
    people = list(
        sap.get_iter(
            "PerPerson",
            top=5000,
            select=["personIdExternal", "personalInfoNav/lastName"],
            expand=["personalInfoNav"],
            params={"customPageSize": "25", "paging": "snapshot"},
        )
    )
    department = sap.get_entity_by_code("FODepartment", jobs[0]["department"])
    exists, _ = sap.entity_exists("FODepartment", "no such department")
refused, reason = client("wrong").test_connection()
try:
    client(password).get("PerPerson", select=["shoeSize"])
    unknown = 200
except SFClientError as error:
    unknown = error.status_code
json.dump(
    {
        "connected": connected,
        "refused": not refused and "LGN0015" in reason,
        "managers": {job["userNav"]["email"]: (job["managerUserNav"] or {}).get("email") for job in jobs},
        "people": len({person["personIdExternal"] for person in people}),
        "named": all(person["personalInfoNav"]["results"][0]["lastName"] for person in people),
        "department": len(department) == 1 and bool(department[0]["name"]) and not exists,
        "unknown": unknown,
    },
    sys.stdout,
)
