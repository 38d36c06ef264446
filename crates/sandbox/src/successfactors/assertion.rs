//! The check of a SAML 2 bearer assertion: its signature and what it says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, tz::TimeZone};
use rsa::sha2::{Digest, Sha256};

use crate::keys::KeyPair;

use super::canonical::Element;

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const CANONICAL: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// The audience of the vendor's assertions, whatever the data centre.
const AUDIENCE: &str = "www.successfactors.com";

/// What an assertion says that was signed with the registered key.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) user: String,
    pub(super) recipient: String,
    pub(super) api_key: Option<String>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_whitespace().collect();
    STANDARD.decode(text).ok()
}

/// Opens an assertion in Base64. The word of what is wrong with it otherwise.
pub(super) fn opened(
    assertion: &str,
    keys: &KeyPair,
    certificate: &[u8],
) -> Result<Said, &'static str> {
    let document = bytes(assertion).ok_or("encoding")?;
    let assertion = Element::parse(&document).ok_or("xml")?;
    if !assertion.is(SAML, "Assertion") || assertion.attribute("Version") != Some("2.0") {
        return Err("no assertion");
    }
    signature(&assertion, keys, certificate)?;
    told(&assertion).ok_or("incomplete")
}

/// The enveloped signature over the assertion.
fn signature(assertion: &Element, keys: &KeyPair, certificate: &[u8]) -> Result<(), &'static str> {
    let signature = assertion.at(SIGNATURE, &["Signature"]).ok_or("unsigned")?;
    let info = signature.at(SIGNATURE, &["SignedInfo"]).ok_or("unsigned")?;
    let reference = info.at(SIGNATURE, &["Reference"]).ok_or("reference")?;
    let algorithm = |element: Option<&Element>, known: &str| {
        element.and_then(|element| element.attribute("Algorithm")) == Some(known)
    };
    let transforms: Vec<&str> = reference
        .at(SIGNATURE, &["Transforms"])
        .ok_or("transforms")?
        .inner(SIGNATURE, "Transform")
        .filter_map(|transform| transform.attribute("Algorithm"))
        .collect();
    let id = assertion.attribute("ID").ok_or("no id")?;
    let is_known = algorithm(info.at(SIGNATURE, &["CanonicalizationMethod"]), CANONICAL)
        && algorithm(info.at(SIGNATURE, &["SignatureMethod"]), RSA_SHA256)
        && algorithm(reference.at(SIGNATURE, &["DigestMethod"]), SHA256)
        && transforms == [ENVELOPED, CANONICAL]
        && reference.attribute("URI") == Some(&format!("#{id}"));
    if !is_known {
        return Err("algorithm");
    }
    let content = (assertion.without(SIGNATURE, "Signature").canonical()).ok_or("namespace")?;
    let digest = reference.at(SIGNATURE, &["DigestValue"]).ok_or("digest")?;
    if bytes(&digest.text()).ok_or("digest")? != Sha256::digest(content.as_bytes()).to_vec() {
        return Err("digest");
    }
    let signed = info.canonical().ok_or("namespace")?;
    let value = signature
        .at(SIGNATURE, &["SignatureValue"])
        .ok_or("signature")?;
    if !keys.verifies(signed.as_bytes(), &bytes(&value.text()).ok_or("signature")?) {
        return Err("signature");
    }
    // A certificate that is sent along must be the registered one.
    let sent = signature.at(SIGNATURE, &["KeyInfo", "X509Data", "X509Certificate"]);
    match sent.map(|sent| bytes(&sent.text())) {
        None => Ok(()),
        Some(Some(sent)) if sent == certificate => Ok(()),
        Some(_) => Err("certificate"),
    }
}

fn told(assertion: &Element) -> Option<Said> {
    assertion.at(SAML, &["Issuer"])?;
    let subject = assertion.at(SAML, &["Subject"])?;
    let confirmation = subject.at(SAML, &["SubjectConfirmation"])?;
    let data = confirmation.at(SAML, &["SubjectConfirmationData"])?;
    let conditions = assertion.at(SAML, &["Conditions"])?;
    let audience = conditions.at(SAML, &["AudienceRestriction", "Audience"])?;
    if confirmation.attribute("Method") != Some(BEARER) || audience.text() != AUDIENCE {
        return None;
    }
    let moment = |name: &str| conditions.attribute(name)?.parse::<Timestamp>().ok();
    let api_key = assertion
        .at(SAML, &["AttributeStatement"])
        .and_then(|statement| {
            let mut attributes = statement.inner(SAML, "Attribute");
            let found = attributes.find(|one| one.attribute("Name") == Some("api_key"))?;
            Some(found.at(SAML, &["AttributeValue"])?.text())
        });
    Some(Said {
        user: subject.at(SAML, &["NameID"])?.text(),
        recipient: data.attribute("Recipient")?.to_owned(),
        api_key,
        from: moment("NotBefore")?,
        until: moment("NotOnOrAfter")?,
    })
}

/// Whether a moment is of a day or one beside it: the simulator knows days only.
pub(super) fn is_near(moment: Timestamp, today: jiff::civil::Date) -> bool {
    let day = moment.to_zoned(TimeZone::UTC).date();
    today
        .until(day)
        .is_ok_and(|distance| distance.get_days().abs() <= 1)
}
