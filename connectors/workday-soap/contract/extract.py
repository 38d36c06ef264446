#!/usr/bin/env python3
"""Extracts facts from Workday's description of Human Resources into facts.json beside this file.

Usage: extract.py WSDL

WSDL is the vendor's own document, saved to a file. Kept are facts only: which
elements a type has, in which order, how often, and which attributes; for the
operation Get_Workers, as far as a worker's identity, employment and
organizations go. No prose is taken over.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as tree

XSD = "{http://www.w3.org/2001/XMLSchema}"
ROOTS = ["Get_Workers_RequestType", "Get_Workers_ResponseType"]
# Parts of a worker that nothing is read from.
LEFT_OUT = {
    "Compensation_Data", "Role_Data", "Management_Chain_Data", "Benefit_Enrollment_Data",
    "Benefit_Eligibility_Data", "Related_Person_Data", "Qualification_Data",
    "Employee_Review_Data", "Photo_Data", "Worker_Document_Data",
    "Integration_Field_Override_Data", "Transaction_Log_Entry_Data",
    "Transaction_Log_Corrected_And_Rescinded_Data", "Succession_Profile_Data",
    "Talent_Assessment_Data", "Worker_Goal_Data", "Development_Item_Data", "Skill_Data",
    "Employee_Contracts_Data", "Feedback_Received_Data", "User_Account_Data", "Career_Data",
    "Account_Provisioning_Data", "Background_Check_Data",
    "Contingent_Worker_Tax_Authority_Form_Type_Data", "Worker_Contract_Data",
    "International_Assignment_Summary_Data", "International_Assignment_Data",
    "Academic_Pay_Setup_Data", "Payroll_Interface_Processing_Data",
    "Position_Organizations_Data", "Position_Management_Chains_Data",
    "Disability_Status_Data", "Military_Service_Data", "Relative_Name_Information_Data",
    "Government_ID", "Visa_ID", "Passport_ID", "License_ID", "Custom_ID",
    "Instant_Messenger_Data", "Web_Address_Data", "Field_And_Parameter_Criteria_Data",
    "Worker_Compensation_Code_Data", "Position_Payroll_Reporting_Code_Data",
    "Collective_Agreement_Summary_Data", "Employee_Probation_Period_Summary_Data",
    "Leave_Request_Additional_Fields", "Secondary_Termination_Data", "Local_Name_Detail_Data",
    "Organization_Support_Role_Data", "Integration_ID_Data", "Job_Classification_Summary_Data",
    "Leave_Requests_Corrected_Data", "Additional_Name_Data",
}


def local(name):
    return (name or "").split(":")[-1]


def main():
    schema = tree.parse(sys.argv[1]).getroot()
    types = {kind.get("name"): kind for kind in schema.iter(XSD + "complexType") if kind.get("name")}
    facts, waiting = {}, list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in facts or name not in types:
            continue
        elements = []
        for element in types[name].iter(XSD + "element"):
            kind = local(element.get("type"))
            left_out = element.get("name") in LEFT_OUT
            elements.append({
                "name": element.get("name") or local(element.get("ref")),
                "type": None if left_out else kind or None,
                "many": element.get("maxOccurs") == "unbounded",
            })
            if not left_out:
                waiting.append(kind)
        attributes = sorted(
            local(attribute.get("name") or attribute.get("ref"))
            for attribute in types[name].iter(XSD + "attribute")
        )
        facts[name] = {"elements": elements, "attributes": attributes}
    out = {
        "source": "WSDL Human_Resources v26.1, operation Get_Workers",
        "namespace": "urn:com.workday/bsvc",
        "request": ROOTS[0],
        "response": ROOTS[1],
        "types": dict(sorted(facts.items())),
    }
    place = pathlib.Path(__file__).with_name("facts.json")
    place.write_text(json.dumps(out, indent=1) + "\n")


main()
