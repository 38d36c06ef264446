//! What a vendor's refusals mean.
//!
//! The text of a refusal can repeat what was sent or what is stored, so only
//! the vendor's own code is taken over, and only if it looks like one.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::compiling::Compiling;
use crate::error::{ConnectError, ErrorKind};
use crate::expression::{Expression, Scope};
use crate::http::{Answer, Verdict};
use crate::manifest::{ErrorRule, Meaning, Path};
use crate::pointer::Pointer;

/// How a vendor refuses.
pub(crate) struct Refusals {
    name: String,
    title: String,
    codes: Vec<Pointer>,
    words: BTreeMap<String, String>,
    rules: Vec<CompiledRule>,
}

struct CompiledRule {
    written: ErrorRule,
    when: Option<Expression>,
}

impl Refusals {
    pub(super) fn compile(compiling: &mut Compiling<'_>) -> Self {
        let manifest = compiling.manifest();
        let path = Path::default().name("errors");
        let mut rules = Vec::new();
        for (place, rule) in manifest.errors.rules.iter().enumerate() {
            let path = path.name("rules").place(place);
            let when = rule.when.as_ref().and_then(|when| {
                compiling.expression(&path.name("when"), when, &["answer", "status", "code"])
            });
            if rule.status.is_none() && rule.codes.is_empty() && rule.when.is_none() {
                let message = "say to what it applies: status, codes or when";
                compiling.flaw(&path, "manifest.empty", message);
            }
            rules.push(CompiledRule {
                written: rule.clone(),
                when,
            });
        }
        Self {
            name: manifest.name.clone(),
            title: manifest.title.clone(),
            codes: compiling.pointers(&path.name("code"), &manifest.errors.code, &[]),
            words: manifest.errors.words.clone(),
            rules,
        }
    }

    /// The connector's name, with which codes begin.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Refusals that only their status explains.
    pub(super) fn none(name: &str, title: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            codes: Vec::new(),
            words: BTreeMap::new(),
            rules: Vec::new(),
        }
    }

    /// May an answer of success be one of refusal?
    pub(super) fn looks_into_success(&self) -> bool {
        self.of_success().next().is_some()
    }

    /// Can answers of success be judged without their rows, after these have left? Not
    /// where a rule looks at the rows themselves, and not where one may mean that the
    /// same is to be asked once more: that is to be known before anything is taken.
    pub(super) fn can_do_without(&self, way: &[String]) -> bool {
        let of_rows = |rule: &CompiledRule| {
            (rule.when.as_ref()).is_some_and(|when| when.sees("answer", way))
                || self.codes.iter().any(|code| code.may_reach(way))
        };
        self.of_success().all(|rule| {
            let means = rule.written.means;
            let asks_again = matches!(
                means,
                Meaning::Throttled | Meaning::Failed | Meaning::Credentials
            );
            !asks_again && !of_rows(rule)
        })
    }

    /// The rules that may hold for answers of success.
    fn of_success(&self) -> impl Iterator<Item = &CompiledRule> {
        self.rules.iter().filter(|rule| match rule.written.status {
            Some(status) => (200..=299).contains(&status),
            None => rule.when.is_some(),
        })
    }

    /// What is to be done about an answer, where a rule says more than its status.
    pub(super) fn verdict(&self, answer: &Answer) -> Option<Verdict> {
        self.rule(answer).map(|rule| match rule.written.means {
            Meaning::Throttled => Verdict::Throttled,
            Meaning::Failed => Verdict::Failed,
            _ => Verdict::Final,
        })
    }

    /// What an answer means when it is one of refusal.
    pub(crate) fn meaning(&self, answer: &Answer) -> Option<Meaning> {
        if let Some(rule) = self.rule(answer) {
            return Some(rule.written.means);
        }
        match answer.status {
            200..=299 => None,
            401 => Some(Meaning::Credentials),
            403 => Some(Meaning::Rights),
            404 | 410 => Some(Meaning::NotFound),
            _ => Some(Meaning::Refused),
        }
    }

    /// The vendor's own code in an answer.
    pub(super) fn code(&self, answer: &Answer) -> Option<String> {
        let found = self.codes.iter().find_map(|code| code.find(&answer.json))?;
        let text = match found {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            _ => return None,
        };
        is_code(&text).then_some(text)
    }

    /// The error of a refusal.
    pub(crate) fn error(&self, answer: &Answer) -> ConnectError {
        let meaning = self.meaning(answer).unwrap_or(Meaning::Refused);
        let (kind, word, what, next) = match meaning {
            Meaning::Credentials => (
                ErrorKind::Credentials,
                "unauthorized",
                "refuses the credentials",
                "enter them again; the connector's notes say where to find them",
            ),
            Meaning::Rights => (
                ErrorKind::Rights,
                "forbidden",
                "says that the credentials lack a right",
                "give them the rights that the connector's notes list",
            ),
            Meaning::NotFound => (
                ErrorKind::Refused,
                "not_found",
                "knows nothing at this address",
                "check the base address and the settings",
            ),
            Meaning::Settings => (
                ErrorKind::Settings,
                "bad_setting",
                "does not accept a setting",
                "check the connector's settings",
            ),
            Meaning::Throttled | Meaning::Failed | Meaning::Refused => (
                ErrorKind::Refused,
                "refused",
                "refuses the request",
                "check the settings; if they are right, report it with the request id",
            ),
        };
        let rule = self.rule(answer).map(|rule| &rule.written);
        let said = rule.and_then(|rule| rule.say.clone());
        let mut what = said.unwrap_or_else(|| format!("{} {what}", self.title));
        if let Some(code) = self.code(answer) {
            what = format!("{what}{}", self.told(&code));
        }
        let advice = rule.and_then(|rule| rule.next.clone());
        let next = advice.unwrap_or_else(|| next.to_owned());
        ConnectError::new(kind, format!("{}.{word}", self.name), what, next)
            .at(answer.place.clone())
    }

    /// A code, with what it means.
    fn told(&self, code: &str) -> String {
        match self.words.get(code) {
            Some(words) => format!(" (its code {code}: {words})"),
            None => format!(" (its code {code})"),
        }
    }

    /// The error of a refusal to give a token or session.
    pub(crate) fn token_refused(&self, answer: &Answer) -> ConnectError {
        // OAuth's own place for a code (RFC 6749, section 5.2).
        let standard = answer.json.get("error").and_then(Json::as_str);
        let standard = standard.filter(|code| is_code(code)).map(str::to_owned);
        let code = self.code(answer).or(standard);
        let code = code.map_or_else(String::new, |code| self.told(&code));
        ConnectError::new(
            ErrorKind::Credentials,
            format!("{}.token_refused", self.name),
            format!("{} gives no token for these credentials{code}", self.title),
            "enter the credentials again, and check the rights that the connector's notes list",
        )
        .at(answer.place.clone())
    }

    /// The error of an answer that is not what the manifest describes.
    pub(crate) fn unexpected(&self, what: &str, answer: &Answer) -> ConnectError {
        ConnectError::new(
            ErrorKind::Answer,
            format!("{}.unexpected_answer", self.name),
            what,
            "check the base address and the settings; if they are right, report it with the request id",
        )
        .at(answer.place.clone())
    }

    fn rule(&self, answer: &Answer) -> Option<&CompiledRule> {
        if self.rules.is_empty() {
            return None;
        }
        let code = self.code(answer);
        let tree = code.clone().map_or(Json::Null, Json::String);
        let status = Json::from(answer.status);
        let scope = Scope::new()
            .with("answer", &answer.json)
            .with("status", &status)
            .with("code", &tree);
        self.rules.iter().find(|rule| {
            let written = &rule.written;
            // A good answer is refused only by a rule that looks into it.
            (written
                .status
                .map_or(!answer.is_success() || rule.when.is_some(), |status| {
                    status == answer.status
                }))
                && (written.codes.is_empty()
                    || code
                        .as_ref()
                        .is_some_and(|code| written.codes.contains(code)))
                && (rule.when.as_ref()).is_none_or(|when| when.holds(&scope).unwrap_or(false))
        })
    }
}

/// A code of a program: nobody's name, address or sentence.
fn is_code(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && (text.bytes())
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
        && !(text.contains('.') && text.contains('@'))
}
