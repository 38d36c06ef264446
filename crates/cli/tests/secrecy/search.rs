//! Finds a text in bytes, in every form in which it could have got there.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The shortest text that does not turn up by chance.
const SHORTEST: usize = 7;

/// A text that must not be found, with a name to speak of it.
#[derive(Clone, Debug)]
pub(crate) struct Canary {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Canary {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        assert!(text.len() >= SHORTEST, "{name} is too short to be sure of");
        Self { name, text }
    }
}

/// Looks for many texts at once.
pub(crate) struct Search {
    forms: AhoCorasick,
    names: Vec<String>,
}

impl Search {
    pub(crate) fn new(canaries: &[Canary]) -> Self {
        let mut needles = Vec::new();
        let mut names = Vec::new();
        for canary in canaries {
            for (form, bytes) in forms(&canary.text) {
                needles.push(bytes);
                names.push(format!("{} ({form})", canary.name));
            }
        }
        Self {
            forms: AhoCorasick::new(needles).unwrap(),
            names,
        }
    }

    /// The first text that is found, by its name and form.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<&str> {
        self.forms
            .find(bytes)
            .map(|found| self.names[found.pattern().as_usize()].as_str())
    }
}

/// Every form of a text.
pub(crate) fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hex = |upper: bool| {
        text.bytes()
            .map(|byte| {
                if upper {
                    format!("{byte:02X}")
                } else {
                    format!("{byte:02x}")
                }
            })
            .collect::<String>()
    };
    let escaped: String = text
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect();
    let url: String = text
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let mut forms: Vec<(&'static str, Vec<u8>)> = vec![
        ("plain", text.into()),
        ("JSON", escaped.into()),
        ("URL", url.into()),
        ("hexadecimal", hex(false).into()),
        ("HEXADECIMAL", hex(true).into()),
        (
            "UTF-16, little end first",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "UTF-16, big end first",
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
    ];
    // In the middle of other bytes base64 shows a text in one of three ways; the
    // letters at its ends belong to its neighbours as well.
    for before in 0..3_usize {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(text.as_bytes());
        let first = (before * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        forms.push(("base64", STANDARD_NO_PAD.encode(&bytes)[first..last].into()));
        forms.push((
            "base64 for addresses",
            URL_SAFE_NO_PAD.encode(&bytes)[first..last].into(),
        ));
    }
    forms.sort();
    forms.dedup_by(|a, b| a.1 == b.1);
    forms
}
