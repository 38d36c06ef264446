//! The conformance kit: what every connector must bear, against the simulator of
//! its vendor over real HTTP, and where nobody may be harmed, with the real engine
//! and a database. For each item stands a connector that is broken in exactly
//! that: it proves that the kit can fail.
//!
//! A connector joins the kit with one line at the end of this file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what supports a test may panic, like the test"
)]

mod bench;
mod broken;
#[allow(dead_code, reason = "another suite takes the rest of it")]
#[path = "../scenarios/world/database.rs"]
mod database;
mod directory;
mod firm;
mod item;
#[allow(dead_code, reason = "another suite takes the rest of it")]
#[path = "../scenarios/world/machine.rs"]
mod machine;
mod middleman;
mod rates;
mod reading;
mod subject;
mod truth;

use item::Item;
use muster_sandbox::Vendor;
use subject::Subject;

/// One test for each item, named so that a failure says which connector and what.
macro_rules! items {
    ($body:ident!($($given:tt)*)) => {
        $body! { [$($given)*]
            happy_path HappyPath,
            every_page_size EveryPageSize,
            empty_company EmptyCompany,
            throttling Throttling,
            expired_token ExpiredToken,
            server_error ServerError,
            truncated_body TruncatedBody,
            duplicate_rows DuplicateRows,
            moving_pages MovingPages,
            lost_rights LostRights,
            wrong_company WrongCompany,
            stale_answer StaleAnswer,
            wrong_time_zone WrongTimeZone,
            nulls Nulls,
            leavers Leavers,
            names Names,
            one_bad_field OneBadField,
        }
    };
}

macro_rules! conforms {
    ([$connector:ident, $vendor:ident] $($name:ident $item:ident,)*) => {
        mod $connector {
            use super::{Item, Subject, Vendor};

            $(
                #[tokio::test]
                async fn $name() {
                    let subject = Subject::of(Vendor::$vendor);
                    let findings = Item::$item.findings(&subject).await;
                    assert_eq!(findings, Vec::<String>::new());
                }
            )*
        }
    };
}

macro_rules! is_found {
    ([] $($name:ident $item:ident,)*) => {
        mod broken_connectors {
            use super::{Item, Subject};

            $(
                #[tokio::test]
                async fn $name() {
                    let broken = Subject::broken(Item::$item);
                    let mut found = Vec::new();
                    for item in Item::ALL {
                        let findings = item.findings(&broken).await;
                        if !findings.is_empty() {
                            found.push((item, findings));
                        }
                    }
                    let items: Vec<Item> = found.iter().map(|(item, _)| *item).collect();
                    assert_eq!(items, [Item::$item], "{found:#?}");
                }
            )*
        }

        #[test]
        fn every_item_has_its_test() {
            assert_eq!(Item::ALL, [$(Item::$item),*]);
        }
    };
}

items!(is_found!());

// One line a connector: its name, and whose simulator it is held against.
items!(conforms!(tripletex, Tripletex));
items!(conforms!(bamboohr, BambooHr));
items!(conforms!(google_workspace, GoogleWorkspace));
items!(conforms!(workday_soap, WorkdaySoap));
items!(conforms!(workday, Workday));
items!(conforms!(sap_successfactors, SapSuccessFactors));
items!(conforms!(humaans, Humaans));

#[test]
fn every_vendor_with_a_simulator_is_in_the_kit() {
    let here = include_str!("main.rs");
    for vendor in Vendor::ALL {
        let line = format!(", {vendor:?}));");
        assert!(here.contains(&line), "{vendor:?} is not in the kit");
    }
}
