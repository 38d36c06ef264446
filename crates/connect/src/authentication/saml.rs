//! The signed SAML 2 assertion of RFC 7522.
//!
//! The assertion is written in its canonical form from the start (exclusive
//! XML canonicalization: namespaces before attributes, attributes in their
//! order, no element closes itself), so that what is signed is what is sent.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jiff::{Timestamp, ToSpan};

use super::signing::SigningKey;
use crate::error::ConnectError;

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const CANONICAL: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// What an assertion says.
pub(super) struct Assertion<'a> {
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    pub(super) subject_format: Option<&'a str>,
    pub(super) audience: &'a str,
    pub(super) recipient: &'a str,
    pub(super) attributes: &'a [(String, String)],
    pub(super) lifetime_seconds: i64,
}

impl Assertion<'_> {
    /// Signed, in Base64 as it is handed in.
    pub(super) fn signed(
        &self,
        key: &SigningKey,
        certificate: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<String, ConnectError> {
        Ok(STANDARD.encode(self.signed_xml(key, certificate, now)?))
    }

    pub(super) fn signed_xml(
        &self,
        key: &SigningKey,
        certificate: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<String, ConnectError> {
        let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let until = second
            .saturating_add(self.lifetime_seconds.seconds())
            .unwrap_or(second);
        // Made of what it says and when: unique without a random source.
        let told = format!(
            "{second}|{}|{}|{}",
            self.issuer, self.subject, self.recipient
        );
        let id: String = digest(&SHA256, told.as_bytes())
            .as_ref()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let id = format!("_{id}");
        let head = format!(
            "<saml2:Assertion xmlns:saml2=\"{SAML}\" ID=\"{id}\" IssueInstant=\"{second}\" \
             Version=\"2.0\"><saml2:Issuer>{}</saml2:Issuer>",
            text(self.issuer)
        );
        let body = self.body(&second.to_string(), &until.to_string());
        let content = digest(&SHA256, format!("{head}{body}").as_bytes());
        let info = signed_info(&id, &STANDARD.encode(content.as_ref()));
        let signature = STANDARD.encode(key.sign(info.as_bytes())?);
        let key_info = certificate.map_or_else(String::new, |der| {
            format!(
                "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate>\
                 </ds:X509Data></ds:KeyInfo>",
                STANDARD.encode(der)
            )
        });
        // Inside the signature its namespace is declared once, outside of it
        // the canonical form of `SignedInfo` declares it again.
        let info = info.replacen(&format!(" xmlns:ds=\"{SIGNATURE}\""), "", 1);
        Ok(format!(
            "{head}<ds:Signature xmlns:ds=\"{SIGNATURE}\">{info}<ds:SignatureValue>{signature}\
             </ds:SignatureValue>{key_info}</ds:Signature>{body}"
        ))
    }

    fn body(&self, now: &str, until: &str) -> String {
        let format = self.subject_format.map_or_else(String::new, |format| {
            format!(" Format=\"{}\"", attribute(format))
        });
        let mut body = format!(
            "<saml2:Subject><saml2:NameID{format}>{}</saml2:NameID><saml2:SubjectConfirmation \
             Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml2:SubjectConfirmationData \
             NotOnOrAfter=\"{until}\" Recipient=\"{}\"></saml2:SubjectConfirmationData>\
             </saml2:SubjectConfirmation></saml2:Subject><saml2:Conditions NotBefore=\"{now}\" \
             NotOnOrAfter=\"{until}\"><saml2:AudienceRestriction><saml2:Audience>{}\
             </saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>\
             <saml2:AuthnStatement AuthnInstant=\"{now}\"><saml2:AuthnContext>\
             <saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
             </saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>",
            text(self.subject),
            attribute(self.recipient),
            text(self.audience)
        );
        if !self.attributes.is_empty() {
            body.push_str("<saml2:AttributeStatement>");
            for (name, value) in self.attributes {
                body.push_str(&format!(
                    "<saml2:Attribute Name=\"{}\"><saml2:AttributeValue>{}\
                     </saml2:AttributeValue></saml2:Attribute>",
                    attribute(name),
                    text(value)
                ));
            }
            body.push_str("</saml2:AttributeStatement>");
        }
        body.push_str("</saml2:Assertion>");
        body
    }
}

/// A text as the canonical form has it (Canonical XML, section 2.3).
fn text(said: &str) -> String {
    said.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\r', "&#xD;")
}

/// The value of an attribute as the canonical form has it: other characters
/// are escaped than in a text.
fn attribute(said: &str) -> String {
    said.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
        .replace('\t', "&#x9;")
        .replace('\n', "&#xA;")
        .replace('\r', "&#xD;")
}

/// In its canonical form.
fn signed_info(id: &str, digest: &str) -> String {
    format!(
        "<ds:SignedInfo xmlns:ds=\"{SIGNATURE}\">\
         <ds:CanonicalizationMethod Algorithm=\"{CANONICAL}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
         </ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform \
         Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"{CANONICAL}\"></ds:Transform></ds:Transforms><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

/// The bytes of a certificate, from PEM or from Base64 without its lines.
pub(super) fn certificate(text: &str) -> Option<Vec<u8>> {
    super::signing::from_pem(text).or_else(|| {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        STANDARD
            .decode(&plain)
            .or_else(|_| URL_SAFE.decode(&plain))
            .ok()
    })
}
