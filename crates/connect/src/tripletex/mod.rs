//! The adapter for Tripletex, API 2.0.
//!
//! A manifest alone cannot describe this vendor: a session is made from two
//! tokens, what an answer contains is chosen by a grammar of its own
//! (`fields`), and a manager is found through the department.
//!
//! | Module | What it is |
//! |---|---|
//! | `session` | the session made from the two tokens |
//! | `api` | a call with a session, and pages of a list |
//! | `refusal` | what the vendor's refusals mean |
//! | `selection` | the `fields` that a scope needs |
//! | `departments` | who manages which department |
//! | `employee` | one row of the list as a source record |
//! | `employment` | employments as engagements |
//! | `reading` | the whole list, page by page, with its evidence |
//! | `confirmation` | asking by id who is still there |
//! | `fetching` | reading records by their ids |
//! | `writing` | writing an employee, and the days of an employment |

mod api;
mod confirmation;
mod departments;
mod employee;
mod employment;
mod fetching;
mod reading;
mod refusal;
mod selection;
mod session;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use muster_model::values::{Country, Synthetic};
use muster_model::{Evidence, ExternalId};

use crate::connector::{Account, Confirmation, Connector, ReadRequest, RecordSink};
use crate::error::{ConnectError, ErrorKind};
use crate::http::{BaseUrl, Dialect, HttpClient};
use crate::manifest::ConnectorInfo;
use crate::normalise::Rules;
use crate::settings::{ConnectorSettings, bad_value};
use crate::writing::{Fetched, RecordWrite, WriteAnswer};

use api::Api;

/// The largest page that is asked for; the vendor's own default.
const LARGEST_PAGE: u64 = 1000;

fn dialect() -> Dialect {
    // Seconds left in the period, not an instant.
    Dialect::json("x-tlx-request-id")
        .remaining("x-rate-limit-remaining")
        .reset_seconds("x-rate-limit-reset")
}

/// A company at Tripletex.
struct Tripletex {
    info: &'static ConnectorInfo,
    api: Api,
    page_size: u64,
    synthetic: Synthetic,
}

/// Opens the adapter with checked settings.
pub(crate) fn open(
    info: &'static ConnectorInfo,
    settings: &ConnectorSettings,
) -> Result<Box<dyn Connector>, ConnectError> {
    let setting = |name: &str| settings.value(info, name).unwrap_or_default();
    let page_size = (setting("page_size").parse().ok())
        .filter(|size| (1..=LARGEST_PAGE).contains(size))
        .ok_or_else(|| bad_value("page_size", "a number from 1 to 1000"))?;
    let synthetic = match setting("test_identities") {
        "accept" => Synthetic::Accept,
        _ => Synthetic::Refuse,
    };
    let address = settings.address(info).unwrap_or_default();
    let base = BaseUrl::parse(address, setting("allow_insecure") == "true")?;
    let http = HttpClient::new(
        base,
        dialect(),
        settings.pause.clone(),
        settings.clock.clone(),
    )?;
    Ok(Box::new(Tripletex {
        info,
        api: Api::new(http, info, settings)?,
        page_size,
        synthetic,
    }))
}

#[async_trait]
impl Connector for Tripletex {
    fn info(&self) -> &ConnectorInfo {
        self.info
    }

    async fn account(&self) -> Result<Account, ConnectError> {
        let who = self.api.who_am_i().await?;
        let rights = self.rights(who.employee_id).await?;
        Ok(Account {
            id: who.company_id.to_string(),
            name: who.company_name,
            rights,
        })
    }

    async fn read(
        &self,
        request: &ReadRequest,
        sink: &mut dyn RecordSink,
    ) -> Result<Evidence, ConnectError> {
        let rules = self.rules(request)?;
        let account = self.account().await?;
        let mut evidence = Evidence::none();
        evidence.account = Some(account.id);
        evidence.rights = account.rights;
        reading::read(&self.api, self.page_size, request, &rules, evidence, sink).await
    }

    async fn confirm(
        &self,
        ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, Confirmation>, ConnectError> {
        confirmation::confirm(&self.api, ids).await
    }

    async fn fetch(
        &self,
        ids: &[ExternalId],
        request: &ReadRequest,
    ) -> Result<BTreeMap<ExternalId, Fetched>, ConnectError> {
        fetching::fetch(&self.api, ids, request, &self.rules(request)?).await
    }

    async fn write(
        &self,
        write: &RecordWrite,
        request: &ReadRequest,
    ) -> Result<WriteAnswer, ConnectError> {
        writing::write(&self.api, write, &self.rules(request)?).await
    }
}

impl Tripletex {
    fn rules(&self, request: &ReadRequest) -> Result<Rules, ConnectError> {
        Ok(Rules {
            today: request.today,
            region: region(request)?,
            synthetic: self.synthetic,
        })
    }

    /// The ids of the entitlements of the token's owner. `None` when the token
    /// may not see them: then the vendor does not tell.
    async fn rights(
        &self,
        employee: Option<i64>,
    ) -> Result<Option<BTreeSet<String>>, ConnectError> {
        let mut query = vec![("fields", "id,entitlementId".to_owned())];
        query.extend(employee.map(|id| ("employeeId", id.to_string())));
        let listed = (self.api)
            .list("/employee/entitlement", &query, self.page_size)
            .await;
        match listed {
            Ok(rows) => Ok(rows
                .iter()
                .map(|row| row.get("entitlementId")?.as_i64().map(|id| id.to_string()))
                .collect()),
            Err(error) if error.kind() == ErrorKind::Rights => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn region(request: &ReadRequest) -> Result<Option<Country>, ConnectError> {
    let parsed = request.region.as_deref().map(Country::parse).transpose();
    parsed.map_err(|error| {
        ConnectError::new(
            ErrorKind::Settings,
            "read.region",
            error.problem,
            error.remedy,
        )
    })
}
