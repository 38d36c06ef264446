//! A call with a session, and pages of a list.

use std::sync::Arc;

use muster_model::Clock;
use serde_json::Value;
use tokio::sync::Mutex;

use super::refusal;
use super::session::{Session, Style, Tokens};
use crate::error::ConnectError;
use crate::http::{Answer, Basic, HttpClient, Request};
use crate::manifest::ConnectorInfo;
use crate::settings::{ConnectorSettings, bad_value, missing_secret};

/// New sessions made for one call before its refusal is believed.
const MOST_NEW_SESSIONS: u32 = 2;

/// Pages of a small list (departments, entitlements) before it is taken for endless.
const MOST_PAGES_OF_SMALL_LIST: u64 = 1000;

/// The vendor, as one owner of tokens sees it.
pub(super) struct Api {
    http: HttpClient,
    tokens: Tokens,
    /// The user of the Basic scheme: 0 for the token owner's own company.
    user: String,
    session: Mutex<Option<Arc<Session>>>,
    clock: Arc<dyn Clock>,
}

/// Whose session it is.
pub(super) struct WhoAmI {
    pub(super) company_id: i64,
    pub(super) company_name: Option<String>,
    pub(super) employee_id: Option<i64>,
}

/// One page of a list.
pub(super) struct Page {
    /// The rows, as they came.
    pub(super) rows: Vec<Value>,
    /// The vendor's total, which it calls not exact.
    pub(super) total: Option<u64>,
    /// Does the page hold as many rows as it says?
    pub(super) whole: bool,
}

impl Api {
    pub(super) fn new(
        http: HttpClient,
        info: &ConnectorInfo,
        settings: &ConnectorSettings,
    ) -> Result<Self, ConnectError> {
        let secret = |name: &str| {
            let secret = settings.secrets.get(name).cloned();
            secret.ok_or_else(|| missing_secret(name))
        };
        let user = settings.value(info, "company_id").unwrap_or("0");
        if user.is_empty() || !user.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad_value("company_id", "the number of the client company"));
        }
        Ok(Self {
            http,
            tokens: Tokens {
                consumer: secret("consumer_token")?,
                employee: secret("employee_token")?,
                style: match settings.value(info, "session") {
                    Some("put") => Style::Put,
                    _ => Style::Post,
                },
            },
            user: user.to_owned(),
            session: Mutex::new(None),
            clock: settings.clock.clone(),
        })
    }

    /// Who the session belongs to.
    pub(super) async fn who_am_i(&self) -> Result<WhoAmI, ConnectError> {
        let fields = "employeeId,companyId,company(id,name)";
        let answer = self
            .get("/token/session/>whoAmI", &[("fields", fields.to_owned())])
            .await?;
        let number = |pointer: &str| answer.json.pointer(pointer).and_then(Value::as_i64);
        let company_id = number("/value/companyId")
            .or_else(|| number("/value/company/id"))
            .ok_or_else(|| refusal::unexpected("the session names no company", &answer))?;
        let name = answer.json.pointer("/value/company/name");
        Ok(WhoAmI {
            company_id,
            company_name: name
                .and_then(Value::as_str)
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            employee_id: number("/value/employeeId"),
        })
    }

    /// One page of a list, sorted by id so that pages follow each other.
    pub(super) async fn page(
        &self,
        path: &str,
        query: &[(&'static str, String)],
        from: u64,
        count: u64,
    ) -> Result<Page, ConnectError> {
        let mut query = query.to_vec();
        query.push(("sorting", "id".to_owned()));
        query.push(("from", from.to_string()));
        query.push(("count", count.to_string()));
        let mut answer = self.get(path, &query).await?;
        let number = |name: &str| answer.json.get(name).and_then(Value::as_u64);
        if number("from").is_some_and(|begun| begun != from) {
            return Err(refusal::unexpected(
                "the answer is another page than the one asked for",
                &answer,
            ));
        }
        let (total, said) = (number("fullResultSize"), number("count"));
        let Some(Value::Array(rows)) = answer.json.get_mut("values").map(Value::take) else {
            return Err(refusal::unexpected("the answer is no list", &answer));
        };
        Ok(Page {
            whole: said.is_none_or(|said| said == rows.len() as u64),
            rows,
            total,
        })
    }

    /// All rows of a small list.
    pub(super) async fn list(
        &self,
        path: &str,
        query: &[(&'static str, String)],
        count: u64,
    ) -> Result<Vec<Value>, ConnectError> {
        let mut rows = Vec::new();
        for page in 0..MOST_PAGES_OF_SMALL_LIST {
            let page = self.page(path, query, page * count, count).await?;
            let last = (page.rows.len() as u64) < count;
            rows.extend(page.rows);
            if last {
                break;
            }
        }
        Ok(rows)
    }

    /// Reads with a session; a session that is refused is made anew.
    async fn get(
        &self,
        path: &str,
        query: &[(&'static str, String)],
    ) -> Result<Answer, ConnectError> {
        let mut renewed = 0;
        loop {
            let session = self.session().await?;
            let mut request = Request::get(path).basic(Basic {
                user: self.user.clone(),
                password: session.token.clone(),
            });
            for (name, value) in query {
                request = request.query(*name, value.clone());
            }
            let answer = self.http.send(&request).await?;
            if answer.is_success() {
                return Ok(answer);
            }
            if answer.status != 401 || renewed == MOST_NEW_SESSIONS {
                return Err(refusal::of(&answer));
            }
            tracing::info!(path, renewed, "session refused; making a new one");
            self.forget(&session).await;
            renewed += 1;
        }
    }

    async fn session(&self) -> Result<Arc<Session>, ConnectError> {
        let mut held = self.session.lock().await;
        if let Some(session) = &*held
            && session.is_alive(&*self.clock)
        {
            return Ok(session.clone());
        }
        let session = Arc::new(Session::make(&self.tokens, &self.http, &*self.clock).await?);
        *held = Some(session.clone());
        Ok(session)
    }

    /// Drops a session, unless somebody has put another in its place meanwhile.
    async fn forget(&self, refused: &Arc<Session>) {
        let mut held = self.session.lock().await;
        if held
            .as_ref()
            .is_some_and(|session| Arc::ptr_eq(session, refused))
        {
            *held = None;
        }
    }
}
