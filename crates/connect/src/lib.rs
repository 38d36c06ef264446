//! How to talk to HR systems: the connector engine and the connectors.
//!
//! A [`Connector`] reads one vendor's people page by page, turns them into
//! [`SourceRecord`](muster_model::SourceRecord)s on the way, and says at the
//! end with what [`Evidence`](muster_model::Evidence) the read can be believed.
//! It decides nothing: what may follow from a read is the engine's question.
//!
//! | Module | What it is |
//! |---|---|
//! | [`connector`] | the trait, what it is asked and what it answers |
//! | [`settings`] | what an administrator enters to use a connector |
//! | [`manifest`] | what a connector says about itself; the check of a manifest |
//! | `declared` | the connector that a manifest describes: requests, paging, joining, mapping |
//! | `authentication` | the ways to prove who asks |
//! | `expression`, `pointer`, `xml`, `weight` | what mappings are made of |
//! | [`offline`] | a manifest tried on recorded answers, without a network |
//! | `budget` | how fast a vendor may be asked |
//! | [`catalogue`](mod@catalogue) | every connector there is, and how one is opened |
//! | [`http`] | the only way out: bounded in time, size, tries and hosts |
//! | [`normalise`] | from what a source said to canonical fields, with problems |
//!
//! # How to read with one
//!
//! ```no_run
//! # async fn example(
//! #     clock: std::sync::Arc<dyn muster_model::Clock>,
//! #     consumer_token: secrecy::SecretString,
//! #     employee_token: secrecy::SecretString,
//! #     sink: &mut dyn muster_connect::RecordSink,
//! # ) -> Result<(), muster_connect::ConnectError> {
//! use muster_connect::{ConnectorSettings, FieldScope, ReadRequest, open};
//!
//! let settings = ConnectorSettings::new(clock)
//!     .secret("consumer_token", consumer_token)
//!     .secret("employee_token", employee_token);
//! let connector = open("tripletex", settings)?;
//! let request = ReadRequest::new(FieldScope::all(), jiff::civil::date(2025, 1, 1));
//! let evidence = connector.read(&request, sink).await?;
//! println!("{} people, level {}", evidence.read, evidence.level.name());
//! # Ok(())
//! # }
//! ```
//!
//! # What is never written down
//!
//! Bodies, query strings, credentials and people's data stand in no log line
//! and in no error. An error names the path without its query, the status, the
//! vendor's own code and request id, and what to do next.

mod authentication;
mod budget;
pub mod catalogue;
pub mod connector;
mod declared;
pub mod error;
mod expression;
pub mod http;
pub mod manifest;
pub mod normalise;
pub mod offline;
mod pointer;
pub mod settings;
pub mod webhook;
mod weight;
pub mod writing;
mod xml;

pub use catalogue::{catalogue, install, open};
pub use connector::{
    Account, Confirmation, Connector, FieldScope, Progress, ReadRequest, RecordSink, SinkError,
};
pub use declared::{FieldTrial, Trial, VendorField};
pub use error::{ConnectError, ErrorKind, Place};
pub use manifest::{ConnectorInfo, Problem, check_manifest};
pub use settings::{ConnectorSettings, KeepSecret};
pub use writing::{Fetched, RecordWrite, WriteAnswer, Written};
