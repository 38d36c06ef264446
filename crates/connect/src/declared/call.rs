//! A request that a manifest describes.

use reqwest::{Method as Verb, Url};
use secrecy::SecretString;
use serde_json::Value as Json;

use super::compiling::Compiling;
use crate::error::{ConnectError, ErrorKind};
use crate::expression::{Escape, Fault, JsonTemplate, Scope, Template};
use crate::http::{BaseUrl, Request};
use crate::manifest::{Call, Method, Path};

/// A request that can be made.
pub(crate) struct CompiledCall {
    method: Verb,
    path: Template,
    query: Vec<(String, Template)>,
    headers: Vec<(String, Template)>,
    json: Option<JsonTemplate>,
    form: Vec<(String, Template)>,
    xml: Option<Template>,
}

impl CompiledCall {
    pub(crate) fn compile(
        compiling: &mut Compiling<'_>,
        path: &Path,
        call: &Call,
        variables: &[&str],
    ) -> Option<Self> {
        let bodies = usize::from(call.json.is_some())
            + usize::from(!call.form.is_empty())
            + usize::from(call.xml.is_some());
        if bodies > 1 {
            let message = "a request has one body: json, form or xml";
            compiling.flaw(path, "manifest.two_bodies", message);
        }
        if !call.path.starts_with(['/', '{']) && !call.path.starts_with("https://") {
            let message = "a path begins with a slash, and a whole address with https://";
            compiling.flaw(&path.name("path"), "manifest.path", message);
        }
        Some(Self {
            method: match call.method {
                Method::Get => Verb::GET,
                Method::Post => Verb::POST,
                Method::Put => Verb::PUT,
                Method::Patch => Verb::PATCH,
            },
            path: compiling.template(&path.name("path"), &call.path, variables)?,
            query: compiling.templates(&path.name("query"), &call.query, variables),
            headers: compiling.templates(&path.name("headers"), &call.headers, variables),
            json: match &call.json {
                Some(json) => Some(compiling.json(&path.name("json"), json, variables)?),
                None => None,
            },
            form: compiling.templates(&path.name("form"), &call.form, variables),
            xml: match &call.xml {
                Some(xml) => Some(compiling.template(&path.name("xml"), xml, variables)?),
                None => None,
            },
        })
    }

    /// The request. It changes nothing at the vendor, so it may be repeated.
    pub(crate) fn request(
        &self,
        base: &BaseUrl,
        scope: &Scope<'_>,
    ) -> Result<Request, ConnectError> {
        Ok(self.once(base, scope)?.repeatable())
    }

    /// The request, which is tried once.
    pub(crate) fn once(&self, base: &BaseUrl, scope: &Scope<'_>) -> Result<Request, ConnectError> {
        let path = (self.path.render(scope, Escape::Path).map_err(not_made)?)
            .ok_or_else(|| nothing_in("a path"))?;
        let address = address(base, &path, &self.path, scope)?;
        let mut request = Request::to(self.method.clone(), address);
        for (name, value) in &self.query {
            match value.value(scope).map_err(not_made)? {
                Json::Array(list) => {
                    for one in list.iter().filter_map(as_text) {
                        request = request.query(name.clone(), one);
                    }
                }
                value => {
                    if let Some(value) = as_text(&value) {
                        request = request.query(name.clone(), value);
                    }
                }
            }
        }
        for (name, value) in &self.headers {
            if let Some(value) = value.render(scope, Escape::None).map_err(not_made)? {
                request = request.header(name.clone(), SecretString::from(value));
            }
        }
        if let Some(json) = &self.json {
            request = request.json(json.render(scope).map_err(not_made)?);
        }
        if !self.form.is_empty() {
            let mut fields = Vec::new();
            for (name, value) in &self.form {
                if let Some(value) = value.render(scope, Escape::None).map_err(not_made)? {
                    fields.push((name.clone(), SecretString::from(value)));
                }
            }
            request = request.form(fields);
        }
        if let Some(xml) = &self.xml {
            let text = (xml.render(scope, Escape::Xml).map_err(not_made)?)
                .ok_or_else(|| nothing_in("an XML body"))?;
            request = request.text("text/xml; charset=utf-8", text);
        }
        Ok(request)
    }
}

/// The address of a path below the base, or a whole address.
fn address(
    base: &BaseUrl,
    path: &str,
    template: &Template,
    scope: &Scope<'_>,
) -> Result<Url, ConnectError> {
    if path.starts_with('/') {
        return Ok(base.join(path));
    }
    // A whole address is not escaped: its slashes are its own. That it goes to
    // a host that may be asked is checked where it is sent.
    let text = template.render(scope, Escape::None).map_err(not_made)?;
    whole_address(&text.unwrap_or_default())
}

/// An address that was made of a manifest or a credential.
pub(crate) fn whole_address(text: &str) -> Result<Url, ConnectError> {
    Url::parse(text).map_err(|_| {
        ConnectError::new(
            ErrorKind::Settings,
            "manifest.address",
            "an address that is made of settings or credentials is none",
            "check them; an address begins with https://",
        )
    })
}

/// A value as a parameter; `None` for null.
fn as_text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub(crate) fn not_made(fault: Fault) -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "manifest.expression",
        format!(
            "an expression of the manifest gave no value: {}",
            fault.words()
        ),
        "check settings and secrets; if they are right, report it with the connector's name",
    )
}

fn nothing_in(what: &str) -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "manifest.setting_missing",
        format!("a value that {what} needs is not there"),
        "enter the connector's settings; `muster connectors show` lists them",
    )
}
