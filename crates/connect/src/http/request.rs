//! A request before it is sent.

use std::borrow::Cow;

use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::error::Place;

/// A request below the base address, or to another address of the same vendor.
/// Not printable: query, headers and body may hold secrets and people's data.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) query: Vec<(Cow<'static, str>, String)>,
    pub(super) headers: Vec<(Cow<'static, str>, SecretString)>,
    pub(super) body: Option<Body>,
    pub(super) basic: Option<Basic>,
    pub(super) repeatable: bool,
}

/// Where a request goes.
#[derive(Clone)]
pub(super) enum Target {
    /// Below the base address; begins with a slash.
    Path(String),
    /// A whole address; refused unless the client may speak to its host.
    Address(Url),
}

/// What a request carries.
#[derive(Clone)]
pub(super) enum Body {
    Json(Value),
    Form(Vec<(String, SecretString)>),
    /// Text of a content type.
    Text(&'static str, SecretString),
}

/// Name and secret of the Basic scheme.
#[derive(Clone)]
pub struct Basic {
    /// The name.
    pub user: String,
    /// The secret.
    pub password: SecretString,
}

impl Request {
    /// Reads; repeatable.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, Target::Path(path.into()), true)
    }

    /// Sends; tried once, unless [`Request::repeatable`].
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, Target::Path(path.into()), false)
    }

    /// Replaces; tried once, unless [`Request::repeatable`].
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, Target::Path(path.into()), false)
    }

    /// To a whole address.
    pub(crate) const fn to(method: Method, address: Url) -> Self {
        Self::new(method, Target::Address(address), false)
    }

    const fn new(method: Method, target: Target, repeatable: bool) -> Self {
        Self {
            method,
            target,
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            basic: None,
            repeatable,
        }
    }

    /// Doing it twice does no harm: it may be tried again after a failure that
    /// leaves open whether it was done.
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// With a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// With a header; a later one of the same name counts.
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<SecretString>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(Body::Json(body));
        self
    }

    /// With the body of a form.
    #[must_use]
    pub(crate) fn form(mut self, fields: Vec<(String, SecretString)>) -> Self {
        self.body = Some(Body::Form(fields));
        self
    }

    /// With a text as body.
    #[must_use]
    pub(crate) fn text(
        mut self,
        content_type: &'static str,
        text: impl Into<SecretString>,
    ) -> Self {
        self.body = Some(Body::Text(content_type, text.into()));
        self
    }

    /// Changes the JSON or form that it carries: adds a member.
    pub(crate) fn add_to_body(&mut self, name: &str, value: &SecretString) {
        match &mut self.body {
            Some(Body::Json(Value::Object(map))) => {
                map.insert(name.to_owned(), value.expose_secret().into());
            }
            Some(Body::Form(fields)) => fields.push((name.to_owned(), value.clone())),
            None => {
                let mut map = serde_json::Map::new();
                map.insert(name.to_owned(), value.expose_secret().into());
                self.body = Some(Body::Json(Value::Object(map)));
            }
            Some(Body::Json(_) | Body::Text(..)) => {}
        }
    }

    /// With a header, unless it has one of that name.
    #[must_use]
    pub(crate) fn header_if_new(self, name: &str, value: String) -> Self {
        let known = self
            .headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name));
        match known {
            true => self,
            false => self.header(name.to_owned(), value),
        }
    }

    /// To another address, whose parameters replace this one's.
    #[must_use]
    pub(crate) fn moved_to(mut self, address: Url) -> Self {
        self.target = Target::Address(address);
        self.query.clear();
        self
    }

    /// The whole address.
    pub(crate) fn address(&self, base: &super::BaseUrl) -> Url {
        let mut url = match &self.target {
            Target::Path(path) => base.join(path),
            Target::Address(url) => url.clone(),
        };
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }

    /// Sets a member of the JSON or form that it carries.
    pub(crate) fn set_in_body(&mut self, name: &str, value: Value) {
        match &mut self.body {
            Some(Body::Json(Value::Object(map))) => {
                map.insert(name.to_owned(), value);
            }
            Some(Body::Form(fields)) => {
                let text = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                fields.push((name.to_owned(), text.into()));
            }
            Some(Body::Json(_) | Body::Text(..)) => {}
            None => {
                let mut map = serde_json::Map::new();
                map.insert(name.to_owned(), value);
                self.body = Some(Body::Json(Value::Object(map)));
            }
        }
    }

    /// Changes the text that it carries.
    pub(crate) fn change_text(&mut self, change: impl FnOnce(&str) -> String) {
        if let Some(Body::Text(_, text)) = &mut self.body {
            *text = change(text.expose_secret()).into();
        }
    }

    /// With credentials.
    #[must_use]
    pub fn basic(mut self, basic: Basic) -> Self {
        self.basic = Some(basic);
        self
    }

    /// Where it goes, for errors.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            method: match self.method {
                Method::POST => "POST",
                Method::PUT => "PUT",
                Method::PATCH => "PATCH",
                Method::DELETE => "DELETE",
                _ => "GET",
            },
            path: match &self.target {
                Target::Path(path) => path.clone(),
                Target::Address(address) => address.path().to_owned(),
            },
            status: None,
            request_id: None,
        }
    }
}
