//! What a connector says about itself: the manifest, as TOML.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{EvidenceLevel, Field};
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// A connector's entry in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectorInfo {
    /// The name on the command line: lower case, digits and hyphens.
    pub name: String,
    /// The vendor's name for people.
    pub title: String,
    /// What it is, in one sentence.
    pub summary: String,
    /// Grows when the same answer of the vendor is read another way, so that
    /// everybody is planned anew.
    pub version: u32,
    /// How sure we are of what is written here.
    pub confidence: Confidence,
    /// Where the vendor explains its side.
    pub links: Vec<Link>,
    /// What the administrator must do, step by step.
    pub administrator: Vec<String>,
    /// Base addresses; the first is the default.
    pub base_urls: Vec<BaseAddress>,
    /// What is entered and kept sealed.
    pub secrets: Vec<Input>,
    /// What is entered and shown.
    pub settings: Vec<Input>,
    /// What is read, and from where.
    pub fields: Vec<FieldSource>,
    /// The fields that can be written back; empty when the connector only reads.
    pub writes: Vec<Field>,
    /// What else it can do, for people.
    pub features: Vec<String>,
    /// What a read can prove.
    pub evidence: EvidenceInfo,
    /// How the account identifies itself: what is pinned when connecting.
    pub account: String,
    /// How somebody who left shows.
    pub leaver: LeaverInfo,
    /// Does somebody who comes back keep the record id?
    pub record_id_survives_rehire: bool,
    /// Can records be asked for by id?
    pub read_by_id: ReadById,
    /// What numbers a record's revisions, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The zone of its dates, as the vendor means them.
    pub dates: String,
    /// Fields that come back empty when the credentials' rights are too few.
    pub hidden_without_rights: Vec<Field>,
    /// What it does not do.
    pub limits: Vec<String>,
    /// Notes for the administrator, in Markdown.
    pub notes: String,
}

/// How sure we are of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// From the vendor's own documents.
    Verified,
    /// From third parties, or from memory.
    Unverified,
}

/// A page of the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What is there.
    pub title: String,
    /// The address.
    pub url: String,
}

/// One of the addresses a vendor answers at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaseAddress {
    /// What it is.
    pub title: String,
    /// The address.
    pub url: String,
}

/// Something to enter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Input {
    /// The name of `--set` and `--secret`.
    pub name: String,
    /// What it means and where to find it.
    pub meaning: String,
    /// Does the connector need it?
    pub required: bool,
    /// The value that holds when none is entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The only values allowed; empty when any is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Where a canonical field comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldSource {
    /// The field.
    pub field: Field,
    /// The vendor's own property, and what is done with it.
    pub from: String,
}

/// What a read can prove, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceInfo {
    /// The best level that a read can earn.
    pub level: EvidenceLevel,
    /// How the end of the list is known.
    pub end: String,
}

/// How somebody who left shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaverInfo {
    /// The kind of sign.
    pub shows: LeaverShows,
    /// The sign itself.
    pub how: String,
}

/// The kinds of sign that somebody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaverShows {
    /// The record stays and says so.
    Flagged,
    /// The record is missing.
    Absent,
    /// There is a list of those who left.
    SeparateList,
}

/// Reading by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadById {
    /// Not possible.
    No,
    /// One at a time.
    One,
    /// Many in one request.
    Many,
}

impl ConnectorInfo {
    /// With the notes for the administrator.
    #[must_use]
    pub fn with_notes(mut self, notes: &str) -> Self {
        notes.clone_into(&mut self.notes);
        self
    }
}

/// Something wrong in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable code, such as `manifest.unknown_field`.
    pub code: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Checks a manifest; an empty list means that it can be used.
#[must_use]
pub fn check_manifest(text: &str) -> Vec<Problem> {
    read(text).err().unwrap_or_default()
}

/// Reads a manifest.
pub(crate) fn read(text: &str) -> Result<ConnectorInfo, Vec<Problem>> {
    let written: Written = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().trim().replace('\n', " ");
        vec![problem(text, at, "manifest.syntax", message)]
    })?;
    let mut check = Check {
        text,
        problems: Vec::new(),
    };
    let info = written.checked(&mut check);
    if check.problems.is_empty() {
        Ok(info)
    } else {
        check
            .problems
            .sort_by_key(|problem| (problem.line, problem.column));
        Err(check.problems)
    }
}

/// The manifest as it is written, with the place of what is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    title: Spanned<String>,
    summary: Spanned<String>,
    version: u32,
    confidence: Confidence,
    account: String,
    record_id_survives_rehire: bool,
    read_by_id: ReadById,
    revision: Option<String>,
    dates: String,
    administrator: Spanned<Vec<String>>,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    limits: Vec<String>,
    #[serde(default)]
    hidden_without_rights: Vec<Spanned<String>>,
    #[serde(default)]
    writes: Vec<Spanned<String>>,
    evidence: EvidenceInfo,
    leaver: LeaverInfo,
    #[serde(default)]
    links: Vec<WrittenAddress>,
    base_urls: Spanned<Vec<WrittenAddress>>,
    #[serde(default)]
    secrets: Vec<WrittenInput>,
    #[serde(default)]
    settings: Vec<WrittenInput>,
    fields: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAddress {
    title: String,
    url: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenInput {
    name: Spanned<String>,
    meaning: Spanned<String>,
    #[serde(default)]
    required: bool,
    default: Option<Spanned<String>>,
    #[serde(default)]
    values: Vec<String>,
}

impl Written {
    fn checked(self, check: &mut Check<'_>) -> ConnectorInfo {
        check.name(&self.name);
        check.filled(&self.title);
        check.filled(&self.summary);
        if self.administrator.as_ref().is_empty() {
            check.problem(
                self.administrator.span().start,
                "manifest.empty",
                "say at least one thing that the administrator must do".to_owned(),
            );
        }
        if self.base_urls.as_ref().is_empty() {
            check.problem(
                self.base_urls.span().start,
                "manifest.empty",
                "name at least one base address; the first is the default".to_owned(),
            );
        }
        let mut names = BTreeSet::new();
        for input in self.secrets.iter().chain(&self.settings) {
            check.input(input, &mut names);
        }
        ConnectorInfo {
            name: self.name.into_inner(),
            title: self.title.into_inner(),
            summary: self.summary.into_inner(),
            version: self.version,
            confidence: self.confidence,
            links: (self.links.into_iter())
                .map(|link| Link {
                    title: link.title,
                    url: check.https(link.url),
                })
                .collect(),
            administrator: self.administrator.into_inner(),
            base_urls: (self.base_urls.into_inner().into_iter())
                .map(|base| BaseAddress {
                    title: base.title,
                    url: check.https(base.url),
                })
                .collect(),
            secrets: self.secrets.into_iter().map(Input::from).collect(),
            settings: self.settings.into_iter().map(Input::from).collect(),
            fields: {
                let mut fields: Vec<FieldSource> = (self.fields.into_iter())
                    .filter_map(|(name, from)| {
                        check.filled(&from);
                        Some(FieldSource {
                            field: check.field(&name)?,
                            from: from.into_inner(),
                        })
                    })
                    .collect();
                fields.sort_by_key(|source| source.field);
                fields
            },
            writes: check.fields(&self.writes),
            features: self.features,
            evidence: self.evidence,
            account: self.account,
            leaver: self.leaver,
            record_id_survives_rehire: self.record_id_survives_rehire,
            read_by_id: self.read_by_id,
            revision: self.revision,
            dates: self.dates,
            hidden_without_rights: check.fields(&self.hidden_without_rights),
            limits: self.limits,
            notes: String::new(),
        }
    }
}

impl From<WrittenInput> for Input {
    fn from(written: WrittenInput) -> Self {
        Self {
            name: written.name.into_inner(),
            meaning: written.meaning.into_inner(),
            required: written.required,
            default: written.default.map(Spanned::into_inner),
            values: written.values,
        }
    }
}

/// The text under check and what was found in it.
struct Check<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, at: usize, code: &'static str, message: String) {
        self.problems.push(problem(self.text, at, code, message));
    }

    fn name(&mut self, name: &Spanned<String>) {
        let text = name.as_ref();
        let sound = text.starts_with(|first: char| first.is_ascii_lowercase())
            && (text.chars()).all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !sound {
            self.problem(
                name.span().start,
                "manifest.name",
                format!("`{text}` is no name: begin with a-z, go on with a-z, 0-9 and -"),
            );
        }
    }

    fn filled(&mut self, text: &Spanned<String>) {
        if text.as_ref().trim().is_empty() {
            self.problem(
                text.span().start,
                "manifest.empty",
                "this must not be empty".to_owned(),
            );
        }
    }

    fn input<'a>(&mut self, input: &'a WrittenInput, names: &mut BTreeSet<&'a str>) {
        self.filled(&input.meaning);
        let name = input.name.as_ref().as_str();
        let sound = !name.is_empty()
            && (name.chars()).all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !sound {
            self.problem(
                input.name.span().start,
                "manifest.name",
                format!("`{name}` is no name of a setting: use a-z, 0-9 and _"),
            );
        }
        if !names.insert(name) {
            self.problem(
                input.name.span().start,
                "manifest.name_twice",
                format!("`{name}` stands twice among secrets and settings"),
            );
        }
        if let Some(default) = &input.default
            && !input.values.is_empty()
            && !input.values.contains(default.as_ref())
        {
            self.problem(
                default.span().start,
                "manifest.default",
                format!("the default is none of: {}", input.values.join(", ")),
            );
        }
    }

    fn https(&mut self, url: Spanned<String>) -> String {
        let parsed = reqwest::Url::parse(url.as_ref());
        if !parsed.is_ok_and(|url| url.scheme() == "https") {
            self.problem(
                url.span().start,
                "manifest.url",
                "this is no address that begins with https://".to_owned(),
            );
        }
        url.into_inner()
    }

    fn field(&mut self, name: &Spanned<String>) -> Option<Field> {
        let field = name.as_ref().parse();
        if let Err(error) = &field {
            let message = format!("{error}").replacen("field.unknown: ", "", 1);
            self.problem(name.span().start, "manifest.unknown_field", message);
        }
        field.ok()
    }

    fn fields(&mut self, names: &[Spanned<String>]) -> Vec<Field> {
        names.iter().filter_map(|name| self.field(name)).collect()
    }
}

fn problem(text: &str, at: usize, code: &'static str, message: String) -> Problem {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Problem {
        code,
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"name = "nordlys-hr"
title = "Nordlys HR"
summary = "An HR system that does not exist."
version = 1
confidence = "unverified"
account = "the company id"
record_id_survives_rehire = true
read_by_id = "many"
dates = "civil dates"
administrator = ["Make a key."]
evidence = { level = "ended", end = "a short page" }
leaver = { shows = "flagged", how = "endDate" }
base_urls = [{ title = "Production", url = "https://hr.nordlys.example/v1" }]

[[secrets]]
name = "key"
meaning = "The key."
required = true

[fields]
given_name = "first"
family_name = "last"
"#;

    fn problems_of(text: &str) -> Vec<(&'static str, usize, usize)> {
        check_manifest(text)
            .into_iter()
            .map(|problem| (problem.code, problem.line, problem.column))
            .collect()
    }

    #[test]
    fn a_sound_manifest_has_no_problem_and_keeps_the_order_of_fields() {
        assert_eq!(check_manifest(SMALL), []);
        let info = read(SMALL).unwrap();
        let fields: Vec<Field> = info.fields.iter().map(|source| source.field).collect();
        assert_eq!(fields, [Field::GivenName, Field::FamilyName]);
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let bad = SMALL
            .replace("nordlys-hr", "Nordlys HR")
            .replace("https://hr", "http://hr")
            .replace("family_name =", "surname =");
        assert_eq!(
            problems_of(&bad),
            [
                ("manifest.name", 1, 8),
                ("manifest.url", 13, 44),
                ("manifest.unknown_field", 22, 1),
            ]
        );
    }

    #[test]
    fn a_name_that_stands_twice_is_told() {
        let bad = SMALL.replace(
            "[fields]",
            "[[settings]]\nname = \"key\"\nmeaning = \"Again.\"\n\n[fields]",
        );
        assert_eq!(problems_of(&bad), [("manifest.name_twice", 21, 8)]);
    }

    #[test]
    fn what_is_no_toml_or_no_manifest_is_told_with_its_line() {
        for (text, line) in [("name = \"a\"\ntitle = ", 2), ("nmae = \"a\"", 1), ("", 1)] {
            let problems = check_manifest(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!(problems[0].code, "manifest.syntax");
            assert_eq!(problems[0].line, line, "{text}");
        }
    }
}
