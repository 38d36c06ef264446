//! An instance with a signed-in caller. Assertions are written here in their
//! canonical form, which the simulator makes of whatever comes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use muster_sandbox::Vendor;
use muster_sandbox::company::DEFAULT_YEAR_START;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{SignatureEncoding, Signer};
use serde_json::Value;

use crate::support::{Caller, Reply, rehearsed, send, simulate};

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Everybody, ten a page.
pub(super) const PEOPLE: &str = "PerPerson?customPageSize=10";

/// What an assertion is to say.
#[derive(Clone)]
pub(super) struct Claims {
    pub(super) user: String,
    pub(super) audience: String,
    pub(super) recipient: String,
    pub(super) api_key: String,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) certificate: Option<String>,
}

pub(super) struct Instance {
    pub(super) caller: Caller,
    pub(super) token: String,
}

fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    fields.join("&")
}

impl Instance {
    pub(super) async fn new(people: u32, faults: &[&str]) -> Self {
        Self::of(simulate(Vendor::SapSuccessFactors, rehearsed(people), faults).await).await
    }

    pub(super) async fn of(caller: Caller) -> Self {
        let mut instance = Self {
            caller,
            token: String::new(),
        };
        instance.sign_in().await;
        instance
    }

    pub(super) fn setting(&self, name: &str) -> String {
        self.caller.sandbox.settings()[name].clone()
    }

    pub(super) fn claims(&self) -> Claims {
        let noon = DEFAULT_YEAR_START.at(12, 0, 0, 0);
        let from = noon.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        Claims {
            user: self.setting("user_id"),
            audience: "www.successfactors.com".to_owned(),
            recipient: format!("{}/oauth/token", self.caller.sandbox.base_url()),
            api_key: self.caller.credential("api_key"),
            from,
            until: from + jiff::SignedDuration::from_mins(10),
            certificate: None,
        }
    }

    pub(super) fn key(&self) -> SigningKey<Sha256> {
        let private = rsa::RsaPrivateKey::from_pkcs8_pem(&self.caller.credential("private_key"));
        SigningKey::new(private.unwrap())
    }

    pub(super) fn assertion(&self, claims: &Claims) -> String {
        let head = format!("<a:Assertion xmlns:a=\"{SAML}\" ID=\"_1\" Version=\"2.0\">");
        let body = format!(
            "<a:Issuer>test</a:Issuer><a:Subject><a:NameID>{}</a:NameID><a:SubjectConfirmation \
             Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><a:SubjectConfirmationData \
             Recipient=\"{}\"></a:SubjectConfirmationData></a:SubjectConfirmation></a:Subject>\
             <a:Conditions NotBefore=\"{}\" NotOnOrAfter=\"{}\"><a:AudienceRestriction>\
             <a:Audience>{}</a:Audience></a:AudienceRestriction></a:Conditions>\
             <a:AttributeStatement><a:Attribute Name=\"api_key\"><a:AttributeValue>{}\
             </a:AttributeValue></a:Attribute></a:AttributeStatement></a:Assertion>",
            claims.user,
            claims.recipient,
            claims.from,
            claims.until,
            claims.audience,
            claims.api_key
        );
        let digest = STANDARD.encode(Sha256::digest(format!("{head}{body}").as_bytes()));
        let info = format!(
            "<s:SignedInfo xmlns:s=\"{SIGNATURE}\"><s:CanonicalizationMethod \
             Algorithm=\"{EXCLUSIVE}\"></s:CanonicalizationMethod><s:SignatureMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></s:SignatureMethod>\
             <s:Reference URI=\"#_1\"><s:Transforms><s:Transform \
             Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></s:Transform>\
             <s:Transform Algorithm=\"{EXCLUSIVE}\"></s:Transform></s:Transforms><s:DigestMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></s:DigestMethod>\
             <s:DigestValue>{digest}</s:DigestValue></s:Reference></s:SignedInfo>"
        );
        let signature = STANDARD.encode(self.key().sign(info.as_bytes()).to_bytes());
        let key_info = claims
            .certificate
            .as_ref()
            .map_or_else(String::new, |text| {
                format!(
                    "<s:KeyInfo><s:X509Data><s:X509Certificate>{text}</s:X509Certificate>\
                 </s:X509Data></s:KeyInfo>"
                )
            });
        // The signature's own prefix is declared further out than it is used.
        let head = head.replace(" ID=", &format!(" xmlns:s=\"{SIGNATURE}\" ID="));
        let info = info.replacen(&format!(" xmlns:s=\"{SIGNATURE}\""), "", 1);
        let xml = format!(
            "{head}<s:Signature>{info}<s:SignatureValue>\n{signature}\n</s:SignatureValue>\
             {key_info}</s:Signature>{body}"
        );
        STANDARD.encode(xml)
    }

    pub(super) async fn token_call(&self, assertion: &str, more: &[(&str, &str)]) -> Reply {
        let (company, key) = (
            self.setting("company_id"),
            self.caller.credential("api_key"),
        );
        let mut fields = vec![
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:saml2-bearer",
            ),
            ("company_id", company.as_str()),
            ("client_id", key.as_str()),
            ("assertion", assertion),
        ];
        for field in more {
            fields.retain(|(name, _)| name != &field.0);
            fields.push(*field);
        }
        let request = self.caller.request("POST", "/oauth/token");
        send(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form(&fields)),
        )
        .await
    }

    pub(super) async fn sign_in(&mut self) {
        let reply = self.token_call(&self.assertion(&self.claims()), &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.token = reply.json()["access_token"].as_str().unwrap().to_owned();
    }

    pub(super) async fn raw(&self, path: &str) -> Reply {
        let path = format!("/odata/v2/{path}");
        send(self.caller.request("GET", &path).bearer_auth(&self.token)).await
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        let mark = if path.contains('?') { '&' } else { '?' };
        self.raw(&format!("{path}{mark}$format=json")).await
    }

    /// All rows, read by the vendor's rule: `__next` word for word, until there is none.
    pub(super) async fn sweep(&self, path: &str) -> Vec<Value> {
        let base = format!("{}/odata/v2/", self.caller.sandbox.base_url());
        let mark = if path.contains('?') { '&' } else { '?' };
        let (mut rows, mut next) = (Vec::new(), Some(format!("{path}{mark}$format=json")));
        while let Some(path) = next {
            let reply = self.raw(&path).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let page = reply.json();
            rows.extend(page["d"]["results"].as_array().unwrap().clone());
            next = page["d"]["__next"]
                .as_str()
                .map(|address| address.strip_prefix(&base).unwrap().to_owned());
        }
        rows
    }

    pub(super) async fn set(&self, faults: &[&str]) {
        let faults = faults.iter().map(|name| name.parse().unwrap()).collect();
        self.caller.sandbox.set_faults(faults).unwrap();
    }
}

pub(super) fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["personIdExternal"].as_str().unwrap().to_owned())
        .collect()
}

pub(super) fn refusal(reply: &Reply) -> (u16, String) {
    let code = reply.json()["error"]["code"].as_str().unwrap().to_owned();
    (reply.status, code)
}
