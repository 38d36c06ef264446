//! Under the limit that a vendor publishes a read takes hardly longer than that
//! limit needs, and is refused at most once. Nobody waits here: pauses move the
//! clock of both sides, and calls take no time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use muster_connect::http::Pause;
use muster_connect::{ConnectorSettings, FieldScope, ReadRequest};
use muster_model::Clock;
use muster_sandbox::{RateLimit, SandboxOptions, Vendor, start};
use secrecy::SecretString;

use crate::firm::{Firm, TODAY};
use crate::machine::HandClock;

/// Time that passes by waiting.
struct Waiting(Arc<HandClock>);

#[async_trait]
impl Pause for Waiting {
    async fn pause(&self, time: Duration) {
        let later = self.0.now().checked_add(time).unwrap();
        self.0.set(later);
    }
}

/// Reads a firm one person a page, under so many calls in so many seconds.
async fn read_under(vendor: Vendor, people: u64, calls: u64, seconds: u64) {
    let per = Duration::from_secs(seconds);
    let firm = Firm::of(people);
    let clock = Arc::new(HandClock::noon(TODAY));
    let began = clock.now();
    let at_the_vendor = Arc::clone(&clock);
    let mut options = SandboxOptions::new(
        vendor,
        firm.now,
        firm.other,
        firm.earlier,
        Arc::new(|| TODAY),
    );
    options.limit = Some(RateLimit {
        calls,
        per,
        now: Arc::new(move || at_the_vendor.now()),
    });
    let sandbox = start(options, "127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut entered = ConnectorSettings::new(clock.clone())
        .base_url(sandbox.base_url())
        .pause(Arc::new(Waiting(clock.clone())))
        .set("page_size", "1");
    for (name, secret) in sandbox.credentials() {
        entered = entered.secret(name, SecretString::from(secret));
    }
    for (name, value) in sandbox.settings() {
        entered = entered.set(name, value);
    }
    let connector = muster_connect::open(vendor.name(), entered).unwrap();
    let request = ReadRequest::new(FieldScope::all(), TODAY).region("NO");
    let mut records = Vec::new();
    let evidence = connector.read(&request, &mut records).await.unwrap();
    assert!(evidence.complete, "{:?}", evidence.doubts);
    assert_eq!(evidence.read, people);
    let counted = sandbox.counted();
    assert!(
        counted.answered > 2 * calls,
        "the limit was met: {counted:?}"
    );
    assert!(counted.refused <= 1, "{counted:?}");
    let periods = (counted.answered - 1) / calls;
    let least = per * u32::try_from(periods).unwrap();
    let took = Duration::try_from(clock.now().duration_since(began)).unwrap();
    assert!(
        took <= least.mul_f64(1.1),
        "{took:?}, where {least:?} are needed for {counted:?}"
    );
}

/// 2,400 calls a minute: the vendor's page on limits.
#[tokio::test]
async fn google_workspace_is_read_within_its_published_limit() {
    read_under(Vendor::GoogleWorkspace, 5_000, 2_400, 60).await;
}

/// No number is published; each answer tells what is left and until when.
#[tokio::test]
async fn tripletex_is_read_within_the_limit_that_its_answers_tell() {
    read_under(Vendor::Tripletex, 250, 60, 30).await;
}

/// About ten calls a second for a tenant: third parties, the vendor publishes none.
#[tokio::test]
async fn workday_is_read_within_the_limit_that_third_parties_report() {
    read_under(Vendor::WorkdaySoap, 250, 10, 1).await;
}
