//! Turning what a manifest says into what can be run, and telling what cannot.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::expression::{Escape, Expression, JsonTemplate, NotAnExpression, Scope, Template};
use crate::manifest::{Manifest, Path, Texts};
use crate::pointer::{Pointer, is_name};

/// Something in a manifest that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Where.
    pub(crate) path: Path,
    /// It is the name there that is wrong, not the value.
    pub(crate) of_name: bool,
    /// Characters before the place inside the text.
    pub(crate) within: usize,
    /// Stable code.
    pub(crate) code: &'static str,
    /// What is wrong, and what would be right.
    pub(crate) message: String,
}

impl Flaw {
    /// At a place.
    pub(crate) fn at(path: Path, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            path,
            of_name: false,
            within: 0,
            code,
            message: message.into(),
        }
    }
}

/// Variables of every expression that is no mapping.
pub(crate) const GENERAL: [&str; 5] = ["setting", "today", "now", "seconds", "host"];

/// A manifest under compilation, with the settings of one connection.
pub(crate) struct Compiling<'a> {
    manifest: &'a Manifest,
    /// Settings by name, with the manifest's defaults.
    settings: Json,
    /// All alternatives are compiled, whatever the settings say.
    all: bool,
    pub(crate) flaws: Vec<Flaw>,
}

impl<'a> Compiling<'a> {
    /// With the settings of a connection.
    pub(crate) fn with(manifest: &'a Manifest, settings: &BTreeMap<String, String>) -> Self {
        let mut known = Map::new();
        for entry in &manifest.settings {
            let value = settings.get(&entry.name).or(entry.default.as_ref());
            let value = value.map_or(Json::Null, |value| Json::String(value.clone()));
            known.insert(entry.name.clone(), value);
        }
        Self {
            manifest,
            settings: Json::Object(known),
            all: false,
            flaws: Vec::new(),
        }
    }

    /// Everything that is wrong, whatever the settings.
    pub(crate) fn flaws_of(manifest: &'a Manifest) -> Vec<Flaw> {
        // A setting without a default stands as a letter: what it is put into
        // can be read with it.
        let settings = (manifest.settings.iter())
            .map(|entry| {
                let first = entry.values.first().cloned();
                let value = entry.default.clone().or(first);
                (entry.name.clone(), value.unwrap_or_else(|| "1".to_owned()))
            })
            .collect();
        let mut compiling = Self {
            all: true,
            ..Self::with(manifest, &settings)
        };
        super::compiled::compile(&mut compiling, &BTreeMap::new());
        compiling.flaws
    }

    pub(crate) const fn manifest(&self) -> &'a Manifest {
        self.manifest
    }

    pub(crate) const fn settings(&self) -> &Json {
        &self.settings
    }

    pub(crate) fn flaw(&mut self, path: &Path, code: &'static str, message: impl Into<String>) {
        self.flaws.push(Flaw::at(path.clone(), code, message));
    }

    /// Is this alternative meant by the settings? Its condition is checked as well.
    pub(crate) fn is_meant(&mut self, when: &BTreeMap<String, String>, path: &Path) -> bool {
        let mut meant = true;
        for (name, value) in when {
            let path = path.name("when").name(name);
            let Some(entry) = self
                .manifest
                .settings
                .iter()
                .find(|entry| entry.name == *name)
            else {
                self.flaws.push(Flaw {
                    of_name: true,
                    ..Flaw::at(
                        path,
                        "manifest.unknown_setting",
                        format!("there is no setting `{name}`"),
                    )
                });
                continue;
            };
            if !entry.values.is_empty() && !entry.values.contains(value) {
                let values = entry.values.join(", ");
                self.flaw(
                    &path,
                    "manifest.unknown_value",
                    format!("the setting `{name}` is one of: {values}"),
                );
            }
            meant &= self.settings.get(name).and_then(Json::as_str) == Some(value);
        }
        meant || self.all
    }

    /// The names of joined lists.
    pub(crate) fn joins(&self) -> Vec<&'a str> {
        self.manifest.joins.keys().map(String::as_str).collect()
    }

    pub(crate) fn expression(
        &mut self,
        path: &Path,
        text: &str,
        variables: &[&str],
    ) -> Option<Expression> {
        let compiled = Expression::compile(text, variables);
        let expression = self.compiled(path, compiled)?;
        self.check_names(path, &expression);
        Some(expression)
    }

    pub(crate) fn template(
        &mut self,
        path: &Path,
        text: &str,
        variables: &[&str],
    ) -> Option<Template> {
        let compiled = Template::compile(text, variables);
        let template = self.compiled(path, compiled)?;
        for expression in template.expressions() {
            self.check_names(path, expression);
        }
        Some(template)
    }

    pub(crate) fn templates(
        &mut self,
        path: &Path,
        texts: &BTreeMap<String, String>,
        variables: &[&str],
    ) -> Vec<(String, Template)> {
        (texts.iter())
            .filter_map(|(name, text)| {
                let template = self.template(&path.name(name), text, variables)?;
                Some((name.clone(), template))
            })
            .collect()
    }

    pub(crate) fn json(
        &mut self,
        path: &Path,
        json: &Json,
        variables: &[&str],
    ) -> Option<JsonTemplate> {
        match JsonTemplate::compile(json, variables) {
            Ok(template) => {
                for expression in template.expressions() {
                    self.check_names(path, expression);
                }
                Some(template)
            }
            Err((text, wrong)) => {
                let message = format!("in `{text}`: {}", wrong.message);
                self.flaw(path, "manifest.expression", message);
                None
            }
        }
    }

    /// A pointer; settings in braces are filled in now.
    pub(crate) fn pointer(
        &mut self,
        path: &Path,
        written: &str,
        trees: &[&str],
    ) -> Option<Pointer> {
        let text = self.filled(path, written)?;
        match Pointer::parse(&text) {
            Ok(pointer) => {
                if let Some(of) = pointer.of()
                    && !trees.contains(&of)
                {
                    let known = match trees {
                        [] => "a pointer here points into the row alone".to_owned(),
                        trees => format!("there is: {}", trees.join(", ")),
                    };
                    let message = format!("there is nothing named `{of}`; {known}");
                    self.flaw(path, "manifest.unknown_join", message);
                    return None;
                }
                Some(pointer)
            }
            Err(message) => {
                self.flaw(path, "manifest.pointer", message);
                None
            }
        }
    }

    pub(crate) fn pointers(
        &mut self,
        path: &Path,
        written: &Texts,
        trees: &[&str],
    ) -> Vec<Pointer> {
        (written.0.iter().enumerate())
            .filter_map(|(place, text)| self.pointer(&path.place(place), text, trees))
            .collect()
    }

    /// A text with the settings filled in.
    pub(crate) fn filled(&mut self, path: &Path, written: &str) -> Option<String> {
        if !written.contains(['{', '}']) {
            return Some(written.to_owned());
        }
        let before = self.flaws.len();
        let template = self.template(path, written, &["setting"])?;
        let settings = std::mem::take(&mut self.settings);
        let rendered = template.render(&Scope::new().with("setting", &settings), Escape::None);
        self.settings = settings;
        match rendered {
            Ok(Some(text)) => Some(text),
            // A setting that is not declared was told just now.
            Ok(None) if self.flaws.len() > before => None,
            Ok(None) => {
                let message = "a setting that this needs is not entered";
                self.flaw(path, "manifest.setting_missing", message);
                None
            }
            Err(fault) => {
                self.flaw(path, "manifest.expression", fault.words());
                None
            }
        }
    }

    /// The name of a tree.
    pub(crate) fn tree_name(&mut self, path: &Path, name: &str) {
        const TAKEN: [&str; 12] = [
            "row",
            "it",
            "person",
            "engagement",
            "setting",
            "secret",
            "today",
            "now",
            "seconds",
            "host",
            "answer",
            "id",
        ];
        if !is_name(name) || TAKEN.contains(&name) {
            self.flaws.push(Flaw {
                of_name: true,
                ..Flaw::at(
                    path.clone(),
                    "manifest.name",
                    format!(
                        "`{name}` is no name of a joined list: use a-z, 0-9 and _, and none of {}",
                        TAKEN.join(", ")
                    ),
                )
            });
        }
    }

    fn compiled<T>(&mut self, path: &Path, compiled: Result<T, NotAnExpression>) -> Option<T> {
        match compiled {
            Ok(compiled) => Some(compiled),
            Err(wrong) => {
                self.flaws.push(Flaw {
                    within: wrong.at,
                    ..Flaw::at(path.clone(), "manifest.expression", wrong.message)
                });
                None
            }
        }
    }

    /// Settings and secrets that an expression names must be declared.
    fn check_names(&mut self, path: &Path, expression: &Expression) {
        let manifest = self.manifest;
        for (variable, entries) in [
            ("setting", &manifest.settings),
            ("secret", &manifest.secrets),
        ] {
            for name in expression.reads(variable) {
                if !entries.iter().any(|entry| entry.name == name) {
                    self.flaws.push(Flaw::at(
                        path.clone(),
                        "manifest.unknown_setting",
                        format!("there is no {variable} `{name}`"),
                    ));
                }
            }
        }
    }
}
