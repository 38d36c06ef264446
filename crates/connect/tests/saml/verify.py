"""Verifies a signed SAML assertion without any code of ours: the canonical form is made by Python's
own implementation of Canonical XML, the signature is verified by OpenSSL.

Usage: verify.py PUBLIC_KEY.pem < ASSERTION
Prints what the assertion says, one `name=value` a line; fails when something does not hold.
"""

import base64
import hashlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


def main():
    text = base64.b64decode(sys.stdin.read().strip(), validate=True).decode()
    root = tree.fromstring(text)
    signature = root.find(DS + "Signature")
    info = signature.find(DS + "SignedInfo")
    reference = info.find(DS + "Reference")
    algorithm = lambda place: place.get("Algorithm")
    assert algorithm(info.find(DS + "CanonicalizationMethod")) == "http://www.w3.org/2001/10/xml-exc-c14n#"
    assert algorithm(info.find(DS + "SignatureMethod")) == "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    assert algorithm(reference.find(DS + "DigestMethod")) == "http://www.w3.org/2001/04/xmlenc#sha256"
    assert reference.get("URI") == "#" + root.get("ID")
    # The order of the schema: Issuer, Signature, Subject.
    assert [part.tag for part in root][:3] == [SAML + "Issuer", DS + "Signature", SAML + "Subject"]

    content = tree.canonicalize(text, exclude_tags=[DS + "Signature"])
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert digest == reference.find(DS + "DigestValue").text, "the content was changed"

    begin, end = text.index("<ds:SignedInfo"), text.index("</ds:SignedInfo>") + len("</ds:SignedInfo>")
    # Taken out of the signature, it declares the namespace that it had from there.
    alone = text[begin:end].replace("<ds:SignedInfo", f'<ds:SignedInfo xmlns:ds="{DS[1:-1]}"', 1)
    with tempfile.TemporaryDirectory() as folder:
        signed = f"{folder}/signed"
        with open(signed, "w", newline="") as file:
            file.write(tree.canonicalize(alone))
        value = f"{folder}/value"
        with open(value, "wb") as file:
            file.write(base64.b64decode(signature.find(DS + "SignatureValue").text))
        subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", sys.argv[1], "-signature", value, signed],
            check=True, stdout=subprocess.DEVNULL,
        )

    subject = root.find(SAML + "Subject")
    confirmation = subject.find(f"{SAML}SubjectConfirmation/{SAML}SubjectConfirmationData")
    conditions = root.find(SAML + "Conditions")
    print(f"issuer={root.find(SAML + 'Issuer').text}")
    print(f"subject={subject.find(SAML + 'NameID').text}")
    print(f"format={subject.find(SAML + 'NameID').get('Format')}")
    print(f"recipient={confirmation.get('Recipient')}")
    print(f"audience={conditions.find(f'{SAML}AudienceRestriction/{SAML}Audience').text}")
    print(f"from={conditions.get('NotBefore')}")
    print(f"until={conditions.get('NotOnOrAfter')}")
    for attribute in root.iter(SAML + "Attribute"):
        print(f"{attribute.get('Name')}={attribute.find(SAML + 'AttributeValue').text}")


main()
