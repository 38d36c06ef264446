//! A request before it is sent.

use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;

use crate::error::Place;

/// A request below the base address. Not printable: query and body may hold
/// secrets and people's data.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) basic: Option<Basic>,
    pub(super) repeatable: bool,
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
        Self::new(Method::GET, path.into(), true)
    }

    /// Sends; tried once, unless [`Request::repeatable`].
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path.into(), false)
    }

    /// Replaces; tried once, unless [`Request::repeatable`].
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path.into(), false)
    }

    const fn new(method: Method, path: String, repeatable: bool) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
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
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
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
                _ => "GET",
            },
            path: self.path.clone(),
            status: None,
            request_id: None,
        }
    }
}
