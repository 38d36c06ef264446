use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use unicode_normalization::UnicodeNormalization as _;

use super::ValueError;
use super::folding::fold_case;

/// Octets of an address: the path limit of RFC 5321, 4.5.3.1.3, without its angle brackets.
const LONGEST_ADDRESS: usize = 254;
/// Octets before the @: RFC 5321, 4.5.3.1.1.
const LONGEST_LOCAL_PART: usize = 64;
/// Octets of one label of a domain: RFC 1035, 2.3.4. A Unicode label is written as ASCII on the
/// wire, which never makes it shorter than its number of characters.
const LONGEST_LABEL: usize = 63;

const EMPTY: ValueError = ValueError::new(
    "email.empty",
    "There is no e-mail address.",
    "Give an address, or leave the field out.",
);
const NO_AT: ValueError = ValueError::new(
    "email.no_at",
    "The e-mail address has no @.",
    "Write it as name@domain.",
);
const SEVERAL_ATS: ValueError = ValueError::new(
    "email.several_ats",
    "The e-mail address has more than one @.",
    "Give one address, without a quoted part.",
);
const CHARACTER: ValueError = ValueError::new(
    "email.character",
    "The e-mail address holds a character that no address has, such as a space, comma or bracket.",
    "Give the bare address, without a name or angle brackets, and only one of them.",
);
const INVISIBLE: ValueError = ValueError::new(
    "email.invisible",
    "The e-mail address holds an invisible character, as happens when text is pasted.",
    "Delete the address and type it again.",
);
const LOCAL_EMPTY: ValueError = ValueError::new(
    "email.local_empty",
    "There is nothing before the @ of the e-mail address.",
    "Write it as name@domain.",
);
const LOCAL_TOO_LONG: ValueError = ValueError::new(
    "email.local_too_long",
    "The part of the e-mail address before the @ is longer than 64 octets.",
    "Check the address; no mail server accepts this one.",
);
const LOCAL_DOTS: ValueError = ValueError::new(
    "email.local_dots",
    "The part of the e-mail address before the @ begins or ends with a dot, or has two in a row.",
    "Remove the surplus dot.",
);
const DOMAIN_EMPTY: ValueError = ValueError::new(
    "email.domain_empty",
    "There is nothing after the @ of the e-mail address.",
    "Write it as name@domain.",
);
const DOMAIN_INCOMPLETE: ValueError = ValueError::new(
    "email.domain_incomplete",
    "The domain of the e-mail address has no dot.",
    "Write the whole domain, such as example.org.",
);
const DOMAIN_LABEL: ValueError = ValueError::new(
    "email.domain_label",
    "A part of the domain of the e-mail address is empty, too long, begins or ends with a hyphen, \
     or holds a character that no domain has.",
    "Check the text after the @.",
);
const DOMAIN_NUMERIC: ValueError = ValueError::new(
    "email.domain_numeric",
    "The domain of the e-mail address ends in a number.",
    "Write the domain's name, not its network address.",
);
const TOO_LONG: ValueError = ValueError::new(
    "email.too_long",
    "The e-mail address is longer than 254 octets.",
    "Check the address; no mail server accepts this one.",
);

pub(super) const ERRORS: &[ValueError] = &[
    EMPTY,
    NO_AT,
    SEVERAL_ATS,
    CHARACTER,
    INVISIBLE,
    LOCAL_EMPTY,
    LOCAL_TOO_LONG,
    LOCAL_DOTS,
    DOMAIN_EMPTY,
    DOMAIN_INCOMPLETE,
    DOMAIN_LABEL,
    DOMAIN_NUMERIC,
    TOO_LONG,
];

/// An e-mail address that a mail server could accept: `name@domain`, with letters of any script on
/// both sides (RFC 6531).
///
/// Quoted local parts and network addresses in place of a domain are refused: the standard has
/// them, people at work do not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email {
    said: String,
    folded: String,
}

impl Email {
    /// Reads an address. Space around it is kept in [`said`](Self::said) and otherwise ignored.
    ///
    /// # Errors
    ///
    /// A code that begins with `email.`, naming the first fault.
    pub fn parse(said: &str) -> Result<Self, ValueError> {
        let said: String = said.nfc().collect();
        let address = said.trim();
        if address.is_empty() {
            return Err(EMPTY);
        }
        if address.chars().any(is_invisible) {
            return Err(INVISIBLE);
        }
        let (local, domain) = address.split_once('@').ok_or(NO_AT)?;
        if domain.contains('@') {
            return Err(SEVERAL_ATS);
        }
        check_local_part(local)?;
        check_domain(domain)?;
        if address.len() > LONGEST_ADDRESS {
            return Err(TOO_LONG);
        }
        let folded = fold_case(address);
        Ok(Self { said, folded })
    }

    /// The compared form of a text that may be no address at all: what is stored is compared as it
    /// stands, and was checked when it was read.
    #[must_use]
    pub fn fold(text: &str) -> String {
        fold_case(text.trim())
    }

    /// What the source said, in NFC.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// The compared form: without space around it, case folded, NFC. Two addresses with the same
    /// form are the same address; the standard lets a server tell `A@` from `a@`, no server does.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.said.trim())
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.said)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

fn check_local_part(local: &str) -> Result<(), ValueError> {
    if local.is_empty() {
        return Err(LOCAL_EMPTY);
    }
    if !local.chars().all(is_local_character) {
        return Err(CHARACTER);
    }
    if local.split('.').any(str::is_empty) {
        return Err(LOCAL_DOTS);
    }
    if local.len() > LONGEST_LOCAL_PART {
        return Err(LOCAL_TOO_LONG);
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<(), ValueError> {
    if domain.is_empty() {
        return Err(DOMAIN_EMPTY);
    }
    if domain.chars().any(char::is_whitespace) {
        return Err(CHARACTER);
    }
    let (_, last) = domain.rsplit_once('.').ok_or(DOMAIN_INCOMPLETE)?;
    if !domain.split('.').all(is_label) {
        return Err(DOMAIN_LABEL);
    }
    if last.chars().all(|character| character.is_ascii_digit()) {
        return Err(DOMAIN_NUMERIC);
    }
    Ok(())
}

/// `atext` of RFC 5322, 3.2.3, with everything outside ASCII that can be seen (RFC 6531), and the
/// dot between atoms.
fn is_local_character(character: char) -> bool {
    match character {
        '.' => true,
        ascii if ascii.is_ascii() => {
            ascii.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(ascii)
        }
        other => !other.is_whitespace() && !other.is_control(),
    }
}

fn is_label(label: &str) -> bool {
    let length = label.chars().count();
    (1..=LONGEST_LABEL).contains(&length)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|character| match character {
            '-' => true,
            ascii if ascii.is_ascii() => ascii.is_ascii_alphanumeric(),
            other => !other.is_whitespace() && !other.is_control(),
        })
}

/// Format characters that come along when an address is pasted from a document or a directory.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(said: &str) -> &'static str {
        Email::parse(said).expect_err(said).code
    }

    #[test]
    fn addresses_with_letters_of_any_script_are_read() {
        for said in [
            "kari@example.org",
            "åse.ødegård@bærum.example",
            "first.last+tag@sub.example-one.org",
            "o'brien@example.org",
            "用户@例子.example",
            "a@xn--brum-0na.example",
        ] {
            assert_eq!(Email::parse(said).map(|email| email.said), Ok(said.into()));
        }
    }

    #[test]
    fn what_was_said_is_kept_in_nfc_and_only_the_compared_form_is_folded() {
        let email = Email::parse("  A\u{30A}se@Example.ORG ").unwrap();
        assert_eq!(email.said(), "  Åse@Example.ORG ");
        assert_eq!(email.folded(), "åse@example.org");
        assert_eq!(email.to_string(), "Åse@Example.ORG");
        assert_eq!(
            email.folded(),
            Email::parse("åSE@example.org").unwrap().folded()
        );
    }

    #[test]
    fn each_fault_has_its_own_code() {
        assert_eq!(code(" \t"), "email.empty");
        assert_eq!(code("kari.example.org"), "email.no_at");
        assert_eq!(code("kari@home@example.org"), "email.several_ats");
        assert_eq!(code("kari berg@example.org"), "email.character");
        assert_eq!(code("Kari <kari@example.org>"), "email.character");
        assert_eq!(code("kari@example.org ola"), "email.character");
        assert_eq!(code("kari@exam\u{200B}ple.org"), "email.invisible");
        assert_eq!(code("@example.org"), "email.local_empty");
        assert_eq!(code(".kari@example.org"), "email.local_dots");
        assert_eq!(code("kari..berg@example.org"), "email.local_dots");
        assert_eq!(code("kari@"), "email.domain_empty");
        assert_eq!(code("kari@localhost"), "email.domain_incomplete");
        assert_eq!(code("kari@example..org"), "email.domain_label");
        assert_eq!(code("kari@-example.org"), "email.domain_label");
        assert_eq!(code("kari@exam_ple.org"), "email.domain_label");
        assert_eq!(code("kari@192.0.2.1"), "email.domain_numeric");
    }

    #[test]
    fn lengths_are_counted_in_octets_up_to_the_limit_and_not_past_it() {
        let local = "å".repeat(32);
        assert!(Email::parse(&format!("{local}@example.org")).is_ok());
        assert_eq!(
            code(&format!("{local}a@example.org")),
            "email.local_too_long"
        );

        let label = "a".repeat(63);
        let domain = format!("{label}.{label}.{label}.{}", "a".repeat(59));
        assert!(Email::parse(&format!("ab@{domain}")).is_ok());
        assert_eq!(code(&format!("abc@{domain}")), "email.too_long");
        assert_eq!(code(&format!("a@{label}a.org")), "email.domain_label");
    }

    #[test]
    fn json_carries_what_was_said() {
        let json = serde_json::to_string(&Email::parse("Kari@Example.org").unwrap()).unwrap();
        assert_eq!(json, "\"Kari@Example.org\"");
        assert_eq!(
            serde_json::from_str::<Email>(&json).unwrap().folded(),
            "kari@example.org"
        );
        assert!(serde_json::from_str::<Email>("\"kari\"").is_err());
    }
}
