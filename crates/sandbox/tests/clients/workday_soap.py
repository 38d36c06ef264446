"""Reads a simulated Workday with zeep, as Workday's own WSDL tells it to.

    workday_soap.py BASE_URL TENANT USERNAME WSDL < password

Prints one JSON object: who is there and who manages them.
"""
import json
import sys

from zeep import Client, Settings
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

base, tenant, username, wsdl = sys.argv[1:]
password = sys.stdin.read().strip()
BINDING = "{urn:com.workday/bsvc/Human_Resources}Human_ResourcesBinding"


def workers(password):
    token = UsernameToken(f"{username}@{tenant}", password)
    client = Client(wsdl, wsse=token, settings=Settings(strict=True))
    return client.create_service(BINDING, f"{base}/ccx/service/{tenant}/Human_Resources/v26.1")


def id_of(reference, kind):
    return next(one["_value_1"] for one in reference["ID"] if one["type"] == kind)


service = workers(password)
people, page = [], 1
while True:
    answer = service.Get_Workers(
        version="v26.1",
        Response_Filter={"As_Of_Entry_DateTime": "2025-01-01T12:00:00Z", "Page": page, "Count": 25},
        Response_Group={
            "Include_Reference": True,
            "Include_Personal_Information": True,
            "Include_Employment_Information": True,
            "Include_Organizations": True,
        },
    )
    people += answer["Response_Data"]["Worker"]
    if page >= answer["Response_Results"]["Total_Pages"]:
        break
    page += 1
emails, managers, departments = {}, {}, set()
for worker in people:
    data = worker["Worker_Data"]
    emails[id_of(worker["Worker_Reference"], "WID")] = data["Personal_Data"]["Contact_Data"]["Email_Address_Data"][0][
        "Email_Address"
    ]
    for member in data["Organization_Data"]["Worker_Organization_Data"]:
        organization = member["Organization_Data"]
        if id_of(organization["Organization_Type_Reference"], "Organization_Type_ID") == "SUPERVISORY":
            departments.add(organization["Organization_Name"])
for worker in people:
    job = worker["Worker_Data"]["Employment_Data"]["Worker_Job_Data"][0]
    found = job["Position_Data"]["Manager_as_of_last_detected_manager_change_Reference"]
    own = emails[id_of(worker["Worker_Reference"], "WID")]
    managers[own] = emails[id_of(found[0], "WID")] if found else None
wanted = id_of(people[3]["Worker_Reference"], "Employee_ID")
one = service.Get_Workers(
    Request_References={"Worker_Reference": [{"ID": [{"type": "Employee_ID", "_value_1": wanted}]}]},
    version="v26.1",
)
faults = []
for call in (
    lambda: workers("wrong").Get_Workers(version="v26.1"),
    lambda: service.Get_Workers(version="v26.1", Response_Filter={"Page": 0}),
    lambda: service.Get_Organizations(version="v26.1"),
):
    try:
        call()
        faults.append(None)
    except Fault as fault:
        faults.append(fault.code)
json.dump(
    {
        "managers": managers,
        "pages": page,
        "departments": len(departments),
        "one": id_of(one["Response_Data"]["Worker"][0]["Worker_Reference"], "Employee_ID") == wanted,
        "faults": faults,
    },
    sys.stdout,
)
