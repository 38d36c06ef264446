//! What is wrong with a manifest, told with line and column.

use std::collections::BTreeSet;

use muster_model::engagement::EngagementStatus;
use muster_model::{EvidenceLevel, Field};
use serde::Serialize;

use super::fields::Mapping;
use super::info::{BaseAddress, ChangesInfo, ConnectorInfo, FieldSource, Input, Link};
use super::place::Path;
use super::written::{Entry, Manifest};
use crate::declared::{Compiling, Flaw};

/// Something wrong in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable code, such as `manifest.unknown_field`.
    pub code: &'static str,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Checks a manifest; no problems means that it can be used.
#[must_use]
pub fn check_manifest(text: &str) -> Vec<Problem> {
    read(text).err().unwrap_or_default()
}

/// Reads a manifest.
pub(crate) fn read(text: &str) -> Result<(Manifest, ConnectorInfo), Vec<Problem>> {
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().trim().replace('\n', " ");
        vec![problem(text, at, "manifest.syntax", message)]
    })?;
    let mut check = Check { flaws: Vec::new() };
    let info = check.info(&manifest);
    let mut flaws = check.flaws;
    flaws.extend(Compiling::flaws_of(&manifest));
    if flaws.is_empty() {
        return Ok((manifest, info));
    }
    let mut problems: Vec<Problem> = flaws.iter().map(|flaw| placed(text, flaw)).collect();
    problems.sort_by(|one, two| {
        (one.line, one.column, &one.message).cmp(&(two.line, two.column, &two.message))
    });
    problems.dedup();
    Err(problems)
}

fn placed(text: &str, flaw: &Flaw) -> Problem {
    let at = match flaw.of_name {
        true => flaw.path.name_offset(text),
        false => {
            let (start, quoted) = flaw.path.offset(text);
            match quoted {
                // Behind the quote, so many characters.
                true => {
                    let rest = text.get(start + 1..).unwrap_or_default();
                    let inside = rest.char_indices().nth(flaw.within);
                    let inside = inside.map_or(0, |(offset, _)| offset);
                    if flaw.within == 0 {
                        start
                    } else {
                        start + 1 + inside
                    }
                }
                false => start,
            }
        }
    };
    problem(text, at, flaw.code, flaw.message.clone())
}

/// What was found so far.
struct Check {
    flaws: Vec<Flaw>,
}

impl Check {
    fn flaw(&mut self, path: Path, code: &'static str, message: impl Into<String>) {
        self.flaws.push(Flaw::at(path, code, message));
    }

    fn info(&mut self, manifest: &Manifest) -> ConnectorInfo {
        let root = Path::default();
        self.name(&manifest.name, &root.name("name"));
        self.filled(&manifest.title, &root.name("title"));
        self.filled(&manifest.summary, &root.name("summary"));
        if manifest.administrator.is_empty() {
            let what = "say at least one thing that the administrator must do";
            self.flaw(root.name("administrator"), "manifest.empty", what);
        }
        if manifest.base_urls.is_empty() {
            let what = "name at least one base address; the first is the default";
            self.flaw(root.name("base_urls"), "manifest.empty", what);
        }
        for (place, base) in manifest.base_urls.iter().enumerate() {
            self.https(&base.url, &root.name("base_urls").place(place).name("url"));
        }
        for (place, link) in manifest.links.iter().enumerate() {
            self.https(&link.url, &root.name("links").place(place).name("url"));
        }
        for (place, host) in manifest.hosts.iter().enumerate() {
            self.https(host, &root.name("hosts").place(place));
        }
        let mut names = BTreeSet::new();
        for (list, entries) in [
            ("secrets", &manifest.secrets),
            ("settings", &manifest.settings),
        ] {
            for (place, entry) in entries.iter().enumerate() {
                self.entry(entry, &root.name(list).place(place), &mut names);
            }
        }
        self.evidence(manifest, &root.name("evidence").name("level"));
        let status = Field::EmploymentStatus.name();
        if let Some(mapping) = manifest.fields.get(status) {
            self.status_words(mapping, &root.name("fields").name(status));
        }
        if let Some(mapping) = (manifest.engagements.as_ref()).and_then(|all| all.status.as_ref()) {
            self.status_words(mapping, &root.name("engagements").name("status"));
        }
        let mut fields = Vec::new();
        for (name, mapping) in &manifest.fields {
            let path = root.name("fields").name(name);
            let from = mapping.described();
            self.filled(&from, &path);
            if let Some(field) = self.field(name, path) {
                fields.push(FieldSource { field, from });
            }
        }
        fields.extend(described_engagements(manifest, &fields));
        if !manifest.custom.is_empty() {
            let names: Vec<&str> = manifest.custom.keys().map(String::as_str).collect();
            fields.push(FieldSource {
                field: Field::Custom,
                from: names.join(", "),
            });
        }
        fields.sort_by_key(|source| source.field);
        ConnectorInfo {
            name: manifest.name.clone(),
            title: manifest.title.clone(),
            summary: manifest.summary.clone(),
            version: manifest.version,
            confidence: manifest.confidence,
            uncertain: manifest.uncertain.clone(),
            links: (manifest.links.iter())
                .map(|link| Link {
                    title: link.title.clone(),
                    url: link.url.clone(),
                })
                .collect(),
            administrator: manifest.administrator.clone(),
            rights: manifest.rights.clone(),
            host_settings: host_settings(manifest),
            base_urls: (manifest.base_urls.iter())
                .map(|base| BaseAddress {
                    title: base.title.clone(),
                    url: base.url.clone(),
                })
                .collect(),
            secrets: manifest.secrets.iter().map(Input::from).collect(),
            settings: manifest.settings.iter().map(Input::from).collect(),
            fields,
            writes: self.writes(manifest),
            features: manifest.features.clone(),
            evidence: manifest.evidence.clone(),
            account: manifest.account.clone(),
            leaver: manifest.leaver.clone(),
            record_id_survives_rehire: manifest.record_id_survives_rehire,
            read_by_id: manifest.read_by_id,
            changes: manifest.changes.as_ref().map(|changes| ChangesInfo {
                overlap_seconds: changes.overlap_seconds,
                full_hours: changes.full_hours,
            }),
            webhooks: crate::webhook::takes_calls(manifest),
            revision: manifest.revision.clone(),
            dates: manifest.dates.clone(),
            replaced_secrets: (manifest.authentication.iter())
                .filter_map(|way| Some(way.refresh_token.as_ref()?.secret.clone()))
                .collect(),
            hidden_without_rights: self.fields(
                &manifest.hidden_without_rights,
                &root.name("hidden_without_rights"),
            ),
            limits: manifest.limits.clone(),
            notes: String::new(),
        }
    }

    fn name(&mut self, name: &str, path: &Path) {
        let sound = name.starts_with(|first: char| first.is_ascii_lowercase())
            && (name.chars()).all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !sound {
            let what = format!("`{name}` is no name: begin with a-z, go on with a-z, 0-9 and -");
            self.flaw(path.clone(), "manifest.name", what);
        }
    }

    fn filled(&mut self, text: &str, path: &Path) {
        if text.trim().is_empty() {
            self.flaw(path.clone(), "manifest.empty", "this must not be empty");
        }
    }

    fn entry<'a>(&mut self, entry: &'a Entry, path: &Path, names: &mut BTreeSet<&'a str>) {
        self.filled(&entry.meaning, &path.name("meaning"));
        let name = entry.name.as_str();
        let sound = !name.is_empty()
            && (name.chars()).all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !sound {
            let what = format!("`{name}` is no name of a setting: use a-z, 0-9 and _");
            self.flaw(path.name("name"), "manifest.name", what);
        }
        if !names.insert(name) {
            let what = format!("`{name}` stands twice among secrets and settings");
            self.flaw(path.name("name"), "manifest.name_twice", what);
        }
        if let Some(default) = &entry.default
            && !entry.values.is_empty()
            && !entry.values.contains(default)
        {
            let what = format!("the default is none of: {}", entry.values.join(", "));
            self.flaw(path.name("default"), "manifest.default", what);
        }
        if let Some([least, most]) = entry.between
            && (least > most
                || (entry.default.as_ref()).is_some_and(|own| !is_between(own, [least, most])))
        {
            let what =
                format!("this allows whole numbers from {least} to {most}, and the default is one");
            self.flaw(path.name("between"), "manifest.default", what);
        }
    }

    /// The fields that can be written, of the person and of an employment.
    fn writes(&mut self, manifest: &Manifest) -> Vec<Field> {
        let Some(write) = &manifest.write else {
            return Vec::new();
        };
        let root = Path::default().name("write");
        let mut fields = Vec::new();
        for name in write.fields.keys() {
            fields.extend(self.field(name, root.name("fields").name(name)));
        }
        if let Some(engagement) = &write.engagement {
            let root = root.name("engagement").name("fields");
            for name in engagement.fields.keys() {
                fields.extend(self.field(name, root.name(name)));
            }
        }
        fields.sort();
        fields
    }

    /// An address may hold templates; what they stand for is checked when they are filled.
    fn https(&mut self, url: &str, path: &Path) {
        let filled = without_templates(url);
        let parsed = reqwest::Url::parse(&filled);
        if !parsed.is_ok_and(|url| url.scheme() == "https") {
            let what = "this is no address that begins with https://";
            self.flaw(path.clone(), "manifest.url", what);
        }
    }

    /// A level that no list can earn would be promised in vain.
    fn evidence(&mut self, manifest: &Manifest, path: &Path) {
        if manifest.evidence.level == EvidenceLevel::Counted
            && !manifest.people.iter().any(|list| list.paging.is_exact())
        {
            let what = "no list of people has a total with exact = true, so that no read is \
                        counted; say ended, or whole where all is one answer";
            self.flaw(path.clone(), "manifest.evidence", what);
        }
    }

    /// A status is one of our words.
    fn status_words(&mut self, mapping: &Mapping, path: &Path) {
        let source = &mapping.0;
        let codes = (source.codes.iter()).map(|(code, ours)| (path.name("codes").name(code), ours));
        let otherwise = source
            .otherwise
            .iter()
            .map(|ours| (path.name("otherwise"), ours));
        for (path, ours) in codes.chain(otherwise).collect::<Vec<_>>() {
            if EngagementStatus::from_name(ours).is_none() {
                let what = format!(
                    "`{ours}` is no status: active, on_leave, laid_off, future, ended or unknown"
                );
                self.flaw(path, "manifest.status", what);
            }
        }
    }

    fn field(&mut self, name: &str, path: Path) -> Option<Field> {
        let field = name.parse().ok();
        if field.is_none() {
            self.flaws.push(Flaw {
                of_name: true,
                ..Flaw::at(path, "manifest.unknown_field", no_field(name))
            });
        }
        field
    }

    fn fields(&mut self, names: &[String], path: &Path) -> Vec<Field> {
        let mut fields = Vec::new();
        for (place, name) in names.iter().enumerate() {
            match name.parse() {
                Ok(field) => fields.push(field),
                Err(_) => {
                    self.flaw(path.place(place), "manifest.unknown_field", no_field(name));
                }
            }
        }
        fields
    }
}

/// There is no such field, but these.
fn no_field(name: &str) -> String {
    let names: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
    format!("there is no field `{name}`; there is: {}", names.join(", "))
}

impl From<&Entry> for Input {
    fn from(entry: &Entry) -> Self {
        Self {
            name: entry.name.clone(),
            meaning: entry.meaning.clone(),
            required: entry.required,
            default: entry.default.clone(),
            values: entry.values.clone(),
            between: entry.between,
        }
    }
}

/// What engagements bring, for the catalogue.
fn described_engagements(manifest: &Manifest, flat: &[FieldSource]) -> Vec<FieldSource> {
    let Some(engagements) = &manifest.engagements else {
        return Vec::new();
    };
    let list = engagements.rows.as_deref();
    let mut sources: Vec<FieldSource> = Vec::new();
    let mut add = |field: Field, from: String| {
        let known = |source: &FieldSource| source.field == field;
        if !sources.iter().any(known) && !flat.iter().any(known) {
            sources.push(FieldSource { field, from });
        }
    };
    if let Some(list) = list {
        add(Field::Engagements, list.to_owned());
    }
    let mut terms = vec![(&engagements.terms, "")];
    terms.extend((engagements.periods.iter()).map(|periods| (&periods.terms, ", by date")));
    for (terms, how) in terms {
        for (field, mapping) in terms.each() {
            add(field, format!("{}{how}", mapping.described()));
        }
    }
    for (field, mapping) in [
        (Field::EmploymentStatus, &engagements.status),
        (Field::StartDate, &engagements.start_date),
        (Field::EndDate, &engagements.end_date),
    ] {
        if let Some(mapping) = mapping {
            add(field, mapping.described());
        }
    }
    // Who began and has not ended is there, where nothing else is said.
    if list.is_some() && engagements.status.is_none() {
        add(
            Field::EmploymentStatus,
            "from the first and the last day".to_owned(),
        );
    }
    sources
}

/// The settings that base addresses name.
fn host_settings(manifest: &Manifest) -> Vec<String> {
    let named = |entry: &&Entry| {
        let name = format!("setting.{}", entry.name);
        manifest.base_urls.iter().any(|base| {
            let mut rest = base.url.as_str();
            while let Some((_, after)) = rest.split_once('{') {
                let (inner, next) = after.split_once('}').unwrap_or((after, ""));
                if inner.contains(&name) {
                    return true;
                }
                rest = next;
            }
            false
        })
    };
    let settings = manifest.settings.iter().filter(named);
    settings.map(|entry| entry.name.clone()).collect()
}

/// Is it a whole number, not less and not more?
pub(crate) fn is_between(text: &str, [least, most]: [i64; 2]) -> bool {
    (text.parse::<i64>()).is_ok_and(|number| (least..=most).contains(&number))
}

/// An address with a letter in the place of each template.
fn without_templates(url: &str) -> String {
    let mut filled = String::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        filled.push('x');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    filled.push_str(rest);
    filled
}

fn problem(text: &str, at: usize, code: &'static str, message: String) -> Problem {
    let (line, column) = position(text, at);
    Problem {
        code,
        line,
        column,
        message,
    }
}

/// Line and column, from 1, of so many bytes into a text.
pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}
