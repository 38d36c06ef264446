//! The vendor, as one connection sees it: requests with their proof.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value as Json;

use super::call::CompiledCall;
use super::compiled::{CompiledList, rows_of};
use super::general::General;
use super::not_made;
use super::paging::{At, Numbers, Turn};
use super::refusal::Refusals;
use super::streaming::{Broken, RowStream, Wanted};
use crate::authentication::Authenticator;
use crate::error::ConnectError;
use crate::expression::{Escape, Scope, Template};
use crate::http::{Answer, HttpClient, Opened, Request, truncated};
use crate::manifest::{Carrier, Meaning};

/// New proofs taken for one call before its refusal is believed.
const MOST_NEW_PROOFS: u32 = 2;

/// The vendor.
pub(crate) struct Vendor {
    pub(super) http: HttpClient,
    pub(super) authenticator: Authenticator,
    pub(super) refusals: std::sync::Arc<Refusals>,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) settings: Json,
    /// XML says nothing where there is no row.
    pub(super) lists_may_be_missing: bool,
}

/// One page of a list.
pub(super) struct Page {
    pub(super) rows: Vec<Json>,
    pub(super) turn: Turn,
    /// When it was answered, by the vendor's clock.
    pub(super) at: Option<Timestamp>,
}

/// Why what was read row by row is no list.
pub(super) enum Unlisted {
    /// The body broke, or cannot be read: what came before may be good.
    Broken(ConnectError),
    /// The answer is one of refusal, or another than was asked for.
    Refused(ConnectError),
}

/// Variables of one request beside the general ones.
#[derive(Default)]
pub(super) struct Variables(BTreeMap<&'static str, Json>);

impl Variables {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.0.insert(name, value.into());
        self
    }

    pub(super) fn add_to<'a>(&'a self, scope: &mut Scope<'a>) {
        for (name, value) in &self.0 {
            scope.set(name, value);
        }
    }
}

/// When it was answered, by the vendor's clock.
pub(super) fn told(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp())
}

impl Vendor {
    /// The general variables, as of now.
    pub(super) fn general(&self, today: Option<Date>) -> General {
        let general = General::now(&self.settings, &self.http.base().host(), self.http.clock());
        match today {
            Some(today) => general.on(today),
            None => general,
        }
    }

    /// Makes a request of the manifest; the answer is one of success.
    pub(super) async fn call(
        &self,
        call: &CompiledCall,
        variables: &Variables,
        today: Option<Date>,
    ) -> Result<Answer, ConnectError> {
        let general = self.general(today);
        let mut scope = general.scope();
        variables.add_to(&mut scope);
        let request = call.request(self.http.base(), &scope)?;
        let answer = self.send(request).await?;
        match self.refusals.meaning(&answer) {
            None => Ok(answer),
            Some(_) => Err(self.refusals.error(&answer)),
        }
    }

    /// Makes a request of the manifest that changes something: a failure that leaves
    /// open whether it was done is not tried again. The answer may be one of refusal.
    pub(super) async fn once(
        &self,
        call: &CompiledCall,
        variables: &Variables,
        today: Option<Date>,
    ) -> Result<Answer, ConnectError> {
        let general = self.general(today);
        let mut scope = general.scope();
        variables.add_to(&mut scope);
        let request = call.once(self.http.base(), &scope)?;
        self.send(request).await
    }

    /// The connection's settings.
    pub(super) const fn settings(&self) -> &Json {
        &self.settings
    }

    /// Makes a request of the manifest; the answer may be one of refusal.
    pub(super) async fn ask(
        &self,
        call: &CompiledCall,
        variables: &Variables,
    ) -> Result<Answer, ConnectError> {
        let general = self.general(None);
        let mut scope = general.scope();
        variables.add_to(&mut scope);
        let request = call.request(self.http.base(), &scope)?;
        self.send(request).await
    }

    /// Reads one page of a list. `seen` are the rows of the pages before.
    pub(super) async fn page(
        &self,
        list: &CompiledList,
        at: &At,
        seen: u64,
        variables: &Variables,
        today: Option<Date>,
    ) -> Result<Page, ConnectError> {
        let general = self.general(today);
        let numbers = Numbers::new(at, list.paging.size(), 0, seen);
        let mut scope = general.scope();
        numbers.add_to(&mut scope);
        variables.add_to(&mut scope);
        let mut request = list.request.request(self.http.base(), &scope)?;
        if let At::Address(address) = at {
            // The vendor's own address has all its parameters.
            request = request.moved_to(address.clone());
        } else {
            let (parameters, carried) = list.paging.parameters(at);
            for (name, value) in parameters {
                match carried {
                    Carrier::Query => {
                        let text = match value {
                            Json::String(text) => text,
                            other => other.to_string(),
                        };
                        request = request.query(name, text);
                    }
                    Carrier::Body => request.set_in_body(&name, value),
                    Carrier::Template => {}
                }
            }
        }
        let asked = request.address(self.http.base());
        let mut answer = self.send(request).await?;
        if self.refusals.meaning(&answer).is_some() {
            return Err(self.refusals.error(&answer));
        }
        self.taken_apart(list, at, &asked, seen, &mut answer)
    }

    fn taken_apart(
        &self,
        list: &CompiledList,
        at: &At,
        asked: &Url,
        seen: u64,
        answer: &mut Answer,
    ) -> Result<Page, ConnectError> {
        // Rows are taken out before expressions look at the answer: they are
        // most of it, and what is said of pages stands beside them.
        let rows = match rows_of(list, &mut answer.json) {
            Some(rows) => rows,
            None if self.lists_may_be_missing => Vec::new(),
            None => return Err(self.refusals.unexpected("the answer holds no list", answer)),
        };
        let count = rows.len() as u64;
        let turn = list
            .paging
            .turn(at, asked, answer, count, seen + count, &self.settings)
            .map_err(|error| ConnectError::from(error).at(answer.place.clone()))?;
        let at = told(&answer.headers);
        Ok(Page { rows, turn, at })
    }

    /// Begins to read a list that is one answer, row by row.
    pub(super) async fn rows(
        &self,
        list: &CompiledList,
        wanted: Wanted,
        variables: &Variables,
        today: Option<Date>,
    ) -> Result<RowStream, ConnectError> {
        let general = self.general(today);
        let mut scope = general.scope();
        variables.add_to(&mut scope);
        let request = list.request.request(self.http.base(), &scope)?;
        match self.opened(request, true).await? {
            Opened::Whole(answer) => Err(self.refusals.error(&answer)),
            Opened::Body(body) => Ok(RowStream::begin(*body, wanted)),
        }
    }

    /// Ends what was read row by row. Only now can be told what the answer is: what
    /// stands beside its rows is judged as an answer is that came whole.
    pub(super) async fn ended(&self, stream: RowStream) -> Result<(), Unlisted> {
        let (headers, place) = (stream.headers.clone(), stream.place.clone());
        let mut answer = Answer {
            status: place.status.unwrap_or(200),
            json: Json::Null,
            headers,
            place,
        };
        let no_list = "the answer holds no list";
        let ended = match stream.end().await {
            Ok(ended) => ended,
            Err(Broken::Error(error)) => return Err(Unlisted::Broken(error.at(answer.place))),
            Err(Broken::NoList) => {
                return Err(Unlisted::Broken(self.refusals.unexpected(no_list, &answer)));
            }
        };
        answer.json = ended.beside;
        if self.refusals.meaning(&answer).is_some() {
            return Err(Unlisted::Refused(self.refusals.error(&answer)));
        }
        if !ended.found && !self.lists_may_be_missing {
            return Err(Unlisted::Refused(
                self.refusals.unexpected(no_list, &answer),
            ));
        }
        Ok(())
    }

    /// Sends with a proof.
    async fn send(&self, request: Request) -> Result<Answer, ConnectError> {
        match self.opened(request, false).await? {
            Opened::Whole(answer) => Ok(*answer),
            // It was not asked for.
            Opened::Body(body) => Err(truncated().at(body.place)),
        }
    }

    /// Sends with a proof; one that is refused is taken anew.
    async fn opened(&self, request: Request, streaming: bool) -> Result<Opened, ConnectError> {
        let mut request = request;
        let general = self.general(None);
        for (name, value) in &self.headers {
            if let Some(value) = value
                .render(&general.scope(), Escape::None)
                .map_err(not_made)?
            {
                request = request.header_if_new(name, value);
            }
        }
        let mut renewed = 0;
        loop {
            let (proved, proof) = self
                .authenticator
                .prove(request.clone(), &self.http, &self.refusals)
                .await?;
            let opened = match streaming {
                true => self.http.open(&proved).await?,
                false => Opened::Whole(Box::new(self.http.send(&proved).await?)),
            };
            let Opened::Whole(answer) = opened else {
                return Ok(opened);
            };
            let refused = self.refusals.meaning(&answer) == Some(Meaning::Credentials);
            if !refused || !proof.can_be_renewed() || renewed == MOST_NEW_PROOFS {
                return Ok(Opened::Whole(answer));
            }
            tracing::info!(
                path = answer.place.path,
                renewed,
                "proof refused; taking a new one"
            );
            self.authenticator.forget(&proof).await;
            renewed += 1;
        }
    }

    /// All rows of a small list, such as departments.
    pub(super) async fn all(
        &self,
        list: &CompiledList,
        variables: &Variables,
        today: Option<Date>,
        mut each: impl FnMut(Json),
    ) -> Result<(), ConnectError> {
        /// Pages before a list is taken for endless.
        const MOST_PAGES: u32 = 10_000;
        let (mut at, mut seen) = (list.paging.first(), 0);
        for _ in 0..MOST_PAGES {
            let page = self.page(list, &at, seen, variables, today).await?;
            seen += page.rows.len() as u64;
            page.rows.into_iter().for_each(&mut each);
            match page.turn.next {
                Some(next) if next != at => at = next,
                Some(_) => break,
                None => return Ok(()),
            }
        }
        Err(ConnectError::new(
            crate::error::ErrorKind::Answer,
            "paging.endless",
            "a list does not advance from page to page",
            "report it with the connector's name and version",
        ))
    }
}
