//! The X.509 certificate under which a client application is registered: made
//! out by its own key, as administrators make theirs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::keys::KeyPair;
use crate::server::SandboxError;

/// `sha256WithRSAEncryption` with its null parameter.
const ALGORITHM: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00,
];
/// Object identifier of a common name.
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
/// The first explicitly tagged field: the version.
const VERSION: u8 = 0xa0;

/// A value in DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut value = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => value.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let digits: Vec<u8> = (length.into_iter())
                .skip_while(|digit| *digit == 0)
                .collect();
            value.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
            value.extend(digits);
        }
    }
    value.extend(content);
    value
}

/// The certificate in DER.
pub(super) fn certificate(keys: &KeyPair) -> Result<Vec<u8>, SandboxError> {
    let name = der(
        SEQUENCE,
        &[&der(
            SET,
            &[&der(
                SEQUENCE,
                &[COMMON_NAME, &der(UTF8_STRING, &[b"muster"])],
            )],
        )],
    );
    let validity = der(
        SEQUENCE,
        &[
            &der(UTC_TIME, &[b"200101000000Z"]),
            &der(UTC_TIME, &[b"491231235959Z"]),
        ],
    );
    let told = der(
        SEQUENCE,
        &[
            &der(VERSION, &[&der(INTEGER, &[&[2]])]),
            &der(INTEGER, &[&[1]]),
            ALGORITHM,
            &name,
            &validity,
            &name,
            &keys.public_der()?,
        ],
    );
    let signature = keys.signed(&told);
    // A signature has no unused bits.
    let signature = der(BIT_STRING, &[&[0], &signature]);
    Ok(der(SEQUENCE, &[&told, ALGORITHM, &signature]))
}

/// A certificate as files hold it.
pub(super) fn pem(certificate: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (at, character) in STANDARD.encode(certificate).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}
