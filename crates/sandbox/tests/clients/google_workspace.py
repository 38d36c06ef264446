"""Reads a simulated Google Workspace with the vendor's own client.

    google_workspace.py BASE_URL SUBJECT < key.json

Prints one JSON object: who is there and who manages them.
"""
import json
import sys

from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

base, subject = sys.argv[1:]
scopes = [
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/admin.directory.orgunit.readonly",
]
key = json.load(sys.stdin)


def directory(subject):
    credentials = service_account.Credentials.from_service_account_info(key, scopes=scopes, subject=subject)
    return build(
        "admin", "directory_v1", credentials=credentials, client_options={"api_endpoint": base}, cache_discovery=False
    )


service = directory(subject)
users, request = [], service.users().list(customer="my_customer", maxResults=10)
while request is not None:
    answer = request.execute()
    users += answer.get("users", [])
    request = service.users().list_next(request, answer)
units = service.orgunits().list(customerId="my_customer", type="all").execute()
one = service.users().get(userKey=users[0]["primaryEmail"], projection="full").execute()
try:
    directory(None).users().list(customer="my_customer").execute()
    undelegated = 200
except HttpError as error:
    undelegated = error.resp.status
json.dump(
    {
        "managers": {
            user["primaryEmail"]: next((r["value"] for r in user.get("relations", []) if r["type"] == "manager"), None)
            for user in users
        },
        "units": len(units["organizationUnits"]),
        "one": one["id"] == users[0]["id"],
        "undelegated": undelegated,
    },
    sys.stdout,
)
