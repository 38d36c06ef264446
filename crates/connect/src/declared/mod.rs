//! The connector that a manifest describes.
//!
//! | Module | What it is |
//! |---|---|
//! | `compiling` | from the manifest's texts to what can be run, telling what cannot |
//! | `compiled` | the whole manifest, compiled for one connection's settings |
//! | `general` | the variables that every template has |
//! | `call` | a request |
//! | `vendor` | requests with their proof, pages of a list |
//! | `paging` | how pages follow each other, and how the end is known |
//! | `streaming` | a list that is one answer, row by row |
//! | `reading` | everybody, page by page, with the evidence |
//! | `joining` | what is joined to people: small lists, requests for each |
//! | `derived` | trees made of a row and of what was joined |
//! | `mapping` | from a row to one value |
//! | `record`, `engagement` | from a row to a source record |
//! | `identity` | the company behind the credentials |
//! | `confirmation` | asking by id who is still there |
//! | `discovery` | which fields the vendor has |
//! | `trial` | one person, with each step of each field |
//! | `writing` | fields of one record written, records read back |
//! | `refusal` | what refusals mean |

mod call;
mod compiled;
mod compiling;
mod confirmation;
mod derived;
mod discovery;
mod engagement;
mod general;
mod identity;
mod joining;
mod mapping;
mod paging;
mod reading;
mod record;
mod refusal;
mod sightings;
mod streaming;
mod trial;
mod vendor;
mod writing;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use muster_model::values::{Country, Synthetic};
use muster_model::{Evidence, ExternalId, Field};

pub(crate) use call::{CompiledCall, not_made, whole_address};
pub(crate) use compiling::{Compiling, Flaw};
pub use discovery::VendorField;
pub(crate) use general::General;
pub(crate) use refusal::Refusals;
pub use trial::{FieldTrial, Trial};

pub(crate) use reading::id as id_text;

use crate::authentication::{Authenticator, CompiledAuthentication};
use crate::budget::Rate;
use crate::connector::{Account, Confirmation, Connector, ReadRequest, RecordSink};
use crate::error::{ConnectError, ErrorKind};
use crate::expression::{Escape, Scope, Template};
use crate::http::{Answer, BaseUrl, Dialect, HttpClient, Play, Speech};
use crate::manifest::{ConnectorInfo, Manifest, Mapping, Speaks};
use crate::normalise::Rules;
use crate::settings::{ConnectorSettings, bad_value};
use crate::writing::{Fetched, RecordWrite, WriteAnswer};
use compiled::Compiled;
use reading::Reader;
use vendor::Vendor;

/// The variables of every template.
pub(crate) const GENERAL: [&str; 5] = compiling::GENERAL;

/// Requests at a time where the manifest does not say.
const CONCURRENT: usize = 4;
/// The most requests at a time.
const MOST_CONCURRENT: usize = 16;

/// A vendor that a manifest describes, with one organisation's credentials.
pub(crate) struct Declared {
    info: &'static ConnectorInfo,
    vendor: Vendor,
    compiled: Compiled,
    synthetic: Synthetic,
    concurrent: usize,
}

/// Opens a connector with checked settings.
pub(crate) fn open(
    info: &'static ConnectorInfo,
    manifest: &Manifest,
    settings: &ConnectorSettings,
) -> Result<Box<dyn Connector>, ConnectError> {
    Ok(Box::new(opened(info, manifest, settings, None)?))
}

/// Opens a connector whose answers are played: it speaks to nobody and signs in nowhere.
pub(crate) fn open_played(
    info: &'static ConnectorInfo,
    manifest: &Manifest,
    settings: &ConnectorSettings,
    played: Arc<dyn Play>,
) -> Result<Declared, ConnectError> {
    opened(info, manifest, settings, Some(played))
}

fn opened(
    info: &'static ConnectorInfo,
    manifest: &Manifest,
    settings: &ConnectorSettings,
    played: Option<Arc<dyn Play>>,
) -> Result<Declared, ConnectError> {
    let mut changed: BTreeMap<Field, Mapping> = BTreeMap::new();
    for (name, written) in settings.changed_fields() {
        let Ok(field) = name.parse() else {
            continue; // told by `ConnectorSettings::check`
        };
        let known = manifest.fields.get(name);
        changed.insert(field, own_mapping(name, written, known)?);
    }
    let mut compiling = Compiling::with(manifest, &settings.settings);
    let mut compiled = compiled::compile(&mut compiling, &changed);
    if let Some(flaw) = compiling.flaws.first() {
        return Err(ConnectError::new(
            ErrorKind::Settings,
            flaw.code,
            format!("{}: {}", flaw.path, flaw.message),
            "correct the settings; if none of them is meant, correct the manifest: `muster connectors check FILE`",
        ));
    }
    let known = compiling.settings().clone();
    let setting = |name: &str| settings.value(info, name).unwrap_or_default();
    let address = address(info, settings, &known)?;
    let base = BaseUrl::parse(&address, setting("allow_insecure") == "true")?;
    let refusals = Arc::new(std::mem::replace(
        &mut compiled.refusals,
        Refusals::none(&manifest.name, &manifest.title),
    ));
    let dialect = dialect(manifest, &refusals);
    let others = manifest
        .hosts
        .iter()
        .filter_map(|host| reqwest::Url::parse(host).ok())
        .collect();
    let http = HttpClient::new(
        base,
        dialect,
        settings.pause.clone(),
        settings.clock.clone(),
    )?
    .with_others(others)
    .with_played(played.clone());
    let Some(mut authentication) = compiled.authentication.take() else {
        return Err(no_way());
    };
    if played.is_some() {
        authentication = CompiledAuthentication::none();
    }
    let authenticator = Authenticator::new(
        authentication,
        settings.secrets.clone(),
        known.clone(),
        settings.keep.clone(),
    );
    let concurrent = manifest
        .rate
        .concurrent
        .unwrap_or(CONCURRENT)
        .clamp(1, MOST_CONCURRENT);
    Ok(Declared {
        info,
        vendor: Vendor {
            http,
            authenticator,
            refusals,
            headers: std::mem::take(&mut compiled.headers),
            settings: known,
            lists_may_be_missing: manifest.speaks == Speaks::Xml || manifest.lists_may_be_missing,
        },
        compiled,
        synthetic: match setting("test_identities") {
            "accept" => Synthetic::Accept,
            _ => Synthetic::Refuse,
        },
        concurrent: concurrent.min(manifest.rate.calls.unwrap_or(concurrent).max(1)),
    })
}

/// Where a connection reads a field from instead: a pointer, to which what the
/// manifest does with the value still applies, an expression behind `=`, or a
/// whole table.
fn own_mapping(
    name: &str,
    written: &str,
    known: Option<&Mapping>,
) -> Result<Mapping, ConnectError> {
    if let Some(expression) = written.strip_prefix('=') {
        return Ok(Mapping::expression(expression));
    }
    if written.starts_with('{') {
        return Mapping::table(written).map_err(|wrong| {
            ConnectError::new(
                ErrorKind::Settings,
                "settings.bad_value",
                format!("the setting `map.{name}` is no table of a mapping: {wrong}"),
                "write it as in a manifest: { from = \"/state\", codes = { A = \"active\" } }",
            )
        });
    }
    Ok(match known {
        Some(known) => known.moved_to(written),
        None => Mapping::pointer(written),
    })
}

/// The base address, with the settings that are part of it.
fn address(
    info: &ConnectorInfo,
    settings: &ConnectorSettings,
    known: &serde_json::Value,
) -> Result<String, ConnectError> {
    let written = settings.address(info).unwrap_or_default();
    if settings.base_url.is_some() || !written.contains('{') {
        return Ok(written.to_owned());
    }
    // Whatever stands in the host must not be able to name another one.
    for name in &info.host_settings {
        let value = settings.value(info, name).unwrap_or_default();
        let is_label = !value.is_empty()
            && value.len() <= 63
            && (value.bytes()).all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !value.starts_with('-')
            && !value.ends_with('-');
        if !is_label {
            return Err(bad_value(
                name,
                "the name alone, as it stands in the address: letters, digits and hyphens",
            ));
        }
    }
    let template = Template::compile(written, &["setting"])
        .map_err(|wrong| bad_value("base_url", &wrong.message))?;
    let scope = Scope::new().with("setting", known);
    let filled = template.render(&scope, Escape::None).map_err(not_made)?;
    filled.ok_or_else(|| bad_value("base_url", "the settings that the address needs"))
}

fn dialect(manifest: &Manifest, refusals: &Arc<Refusals>) -> Dialect {
    let rate = &manifest.rate;
    let judge = refusals.clone();
    Dialect {
        request_id_headers: manifest
            .errors
            .request_id
            .0
            .iter()
            .cloned()
            .map(Cow::Owned)
            .collect(),
        reset_seconds_header: rate.reset_seconds_header.clone().map(Cow::Owned),
        remaining_header: rate.remaining_header.clone().map(Cow::Owned),
        speaks: match manifest.speaks {
            Speaks::Json => Speech::Json,
            Speaks::Xml => Speech::Xml,
        },
        rate: rate.calls.zip(rate.seconds).map(|(calls, seconds)| Rate {
            calls,
            per: Duration::from_secs(seconds),
        }),
        throttled_wait: rate.throttled_wait_seconds.map(Duration::from_secs),
        judge: Some(Arc::new(move |answer: &Answer| judge.verdict(answer))),
    }
}

fn no_way() -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "manifest.authentication",
        "these settings mean no way to sign in",
        "check the connector's settings; `muster connectors show` lists them",
    )
}

#[async_trait]
impl Connector for Declared {
    fn info(&self) -> &ConnectorInfo {
        self.info
    }

    async fn account(&self) -> Result<Account, ConnectError> {
        match &self.compiled.company {
            Some(company) => identity::account(&self.vendor, company).await,
            None => Err(no_way()),
        }
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
        self.reader(request, &rules)
            .await?
            .read(evidence, sink)
            .await
    }

    async fn confirm(
        &self,
        ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, Confirmation>, ConnectError> {
        match &self.compiled.by_id {
            Some(by_id) => {
                let always = self.compiled.people.first().map(|people| &people.always);
                let always = always.map_or(&[] as &[String], Vec::as_slice);
                confirmation::confirm(&self.vendor, by_id, always, ids, self.concurrent).await
            }
            // Nothing was answered, and nothing is proved.
            None => Ok(BTreeMap::new()),
        }
    }

    async fn trial(
        &self,
        id: &ExternalId,
        request: &ReadRequest,
    ) -> Result<Option<Trial>, ConnectError> {
        let rules = self.rules(request)?;
        self.reader(request, &rules).await?.trial(id).await
    }

    async fn fetch(
        &self,
        ids: &[ExternalId],
        request: &ReadRequest,
    ) -> Result<BTreeMap<ExternalId, Fetched>, ConnectError> {
        let rules = self.rules(request)?;
        self.reader(request, &rules).await?.fetch(ids).await
    }

    async fn write(
        &self,
        write: &RecordWrite,
        request: &ReadRequest,
    ) -> Result<WriteAnswer, ConnectError> {
        let rules = self.rules(request)?;
        self.reader(request, &rules).await?.write(write).await
    }

    async fn vendor_fields(&self) -> Result<Vec<VendorField>, ConnectError> {
        match &self.compiled.discovery {
            Some(discovery) => discovery::fields(&self.vendor, discovery).await,
            None => Err(ConnectError::new(
                ErrorKind::Settings,
                "connector.no_discovery",
                "this vendor does not tell which fields it has",
                "`muster connectors show` lists those that are read",
            )),
        }
    }
}

impl Declared {
    fn rules(&self, request: &ReadRequest) -> Result<Rules, ConnectError> {
        let region = request.region.as_deref().map(Country::parse).transpose();
        let region = region.map_err(|error| {
            ConnectError::new(
                ErrorKind::Settings,
                "read.region",
                error.problem,
                error.remedy,
            )
        })?;
        Ok(Rules {
            today: request.today,
            region,
            synthetic: self.synthetic,
        })
    }

    /// The instant of which a read speaks: a minute ago, so that a vendor whose
    /// clock runs behind ours does not take it for the future.
    fn read_at(&self) -> jiff::Timestamp {
        let now = self.vendor.http.clock().now();
        let second = jiff::Timestamp::from_second(now.as_second() - 60);
        second.unwrap_or(now)
    }

    async fn reader<'a>(
        &'a self,
        request: &'a ReadRequest,
        rules: &'a Rules,
    ) -> Result<Reader<'a>, ConnectError> {
        let mut wanted = self.compiled.mapping.asks(&request.fields);
        if let Some(discovery) = self.compiled.discovery.as_ref().filter(|own| own.narrows) {
            let known = discovery::fields(&self.vendor, discovery).await?;
            wanted.retain(|name| known.iter().any(|field| field.name == *name));
        }
        Ok(Reader {
            vendor: &self.vendor,
            compiled: &self.compiled,
            request,
            rules,
            concurrent: self.concurrent,
            wanted,
            selected: (self.compiled.mapping).selects(&request.fields, &self.compiled.joins),
            read_at: self.read_at(),
        })
    }
}
