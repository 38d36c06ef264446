//! What recorded answers show of a manifest: a sound one bears them and their bad
//! days, and each check finds what it is for, with its place.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests and their helpers

mod support;

use jiff::civil::date;
use muster_connect::check_manifest;
use muster_connect::offline::{Finding, Fixture, try_recorded};
use support::TestClock;

const MANIFEST: &str = r#"name = "nordlys-hr"
title = "Nordlys HR"
summary = "An HR system that does not exist."
version = 1
confidence = "unverified"
account = "the company id"
record_id_survives_rehire = true
read_by_id = "no"
dates = "civil dates"
administrator = ["Make a key."]
evidence = { level = "ended", end = "a short page" }
leaver = { shows = "flagged", how = "status" }
base_urls = [{ title = "Production", url = "https://hr.nordlys.example/v1" }]
secrets = [{ name = "key", meaning = "The key.", required = true }]

[[authentication]]
bearer = { token = "{secret.key}" }

[company]
request = { path = "/me" }
id = "/company/id"

[[people]]
request = { path = "/people" }
rows = "/data"
id = "/id"
revision = "/version"
only = "row.kind != 'contact'"
removed = "row.deleted == true"

[people.paging.offset]
parameter = "from"
size_parameter = "count"
size = "100"
begins = "/from"
end = { short_page = true, count = "/count", total = "/total" }

[joins.departments]
request = { path = "/departments" }
rows = "/data"
key = "/id"
by = "/department/id"
paging = { none = {} }

[fields]
given_name = "/first"
family_name = "/last"
display_name = { value = "row.first + ' ' + row.last" }
work_email = "/mail"
department = "departments:/name"
date_of_birth = "/born"
employment_status = { from = "/state", codes = { A = "active", L = "ended" }, otherwise = "unknown" }
start_date = "/from"
end_date = "/until"
"#;

const RECORDED: &str = r#"{
 "about": "Made up.",
 "GET /v1/me": {"company": {"id": 7}},
 "GET /v1/people": {"from": 0, "count": 2, "total": 2, "data": [
  {"id": 1, "version": 3, "kind": "employee", "deleted": false, "first": "Kari", "last": "Hansen",
   "mail": "kari@nordlys.example", "department": {"id": 5}, "born": "1990-05-17",
   "state": "A", "from": "2024-02-01", "until": null},
  {"id": 2, "version": 1, "kind": "employee", "deleted": false, "first": "Nina", "last": "Berg",
   "mail": "", "department": {"id": 5}, "born": null,
   "state": "L", "from": "2020-01-01", "until": "2024-06-30"}
 ]},
 "departments": {"request": "GET /v1/departments", "answer": {"data": [{"id": 5, "name": "Salg"}]}}
}"#;

async fn tried(manifest: &str, recorded: &str) -> Vec<Finding> {
    assert_eq!(check_manifest(manifest), [], "the manifest itself is sound");
    let fixtures = [Fixture {
        file: "fixtures/recorded.json".to_owned(),
        text: recorded.to_owned(),
    }];
    let clock = TestClock::at("2025-06-01T12:00:00Z");
    try_recorded(
        "manifest.toml",
        manifest,
        &fixtures,
        date(2025, 6, 1),
        clock,
    )
    .await
}

/// Line and column of the first place of a text, and so many characters on.
fn place(text: &str, of: &str, on: usize) -> (usize, usize) {
    let at = text.find(of).unwrap() + on;
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    (line, at - before.rfind('\n').map_or(0, |end| end + 1) + 1)
}

#[tokio::test]
async fn a_sound_manifest_bears_recorded_answers_and_their_bad_days() {
    assert_eq!(tried(MANIFEST, RECORDED).await, []);
}

/// A manifest or a recording that is broken for one check, the code that finds it,
/// and where.
struct Broken {
    code: &'static str,
    from: &'static str,
    to: &'static str,
    /// The finding stands so many characters behind the beginning of `to`.
    on: usize,
}

const fn broken(code: &'static str, from: &'static str, to: &'static str, on: usize) -> Broken {
    Broken { code, from, to, on }
}

#[tokio::test]
async fn each_check_finds_what_it_is_for_and_says_where() {
    for one in [
        broken(
            "offline.list_not_found",
            "rows = \"/data\"\nid",
            "rows = \"/rows\"\nid",
            0,
        ),
        broken(
            "offline.no_id",
            "id = \"/id\"\nrevision",
            "id = \"/uuid\"\nrevision",
            0,
        ),
        broken(
            "offline.field_not_there",
            "\"/version\"",
            "\"/revision\"",
            0,
        ),
        broken(
            "offline.field_not_there",
            "given_name = \"/first\"",
            "given_name = \"/frist\"",
            0,
        ),
        broken(
            "offline.field_not_there",
            "\"departments:/name\"",
            "\"departments:/title\"",
            0,
        ),
        broken(
            "offline.field_not_there",
            "value = \"row.first + ' ' + row.last\"",
            "value = \"row.frist + ' ' + row.lsat\"",
            0,
        ),
        broken(
            "offline.field_unreadable",
            "family_name = \"/last\"",
            "family_name = \"/department\"",
            0,
        ),
        broken(
            "offline.company",
            "id = \"/company/id\"",
            "id = \"/firm/id\"",
            0,
        ),
        broken(
            "offline.paging_end",
            "begins = \"/from\"",
            "begins = \"/total\"",
            0,
        ),
        broken(
            "offline.record_twice",
            "id = \"/id\"\nrevision",
            "id = \"/department/id\"\nrevision",
            0,
        ),
        broken(
            "offline.nobody",
            "row.kind != 'contact'",
            "row.kind == 'contact'",
            0,
        ),
        broken(
            "offline.evidence_not_earned",
            "level = \"ended\"",
            "level = \"counted\"",
            0,
        ),
        broken(
            "offline.one_spoils_all",
            "row.kind != 'contact'",
            "row.version - 1 >= 0",
            0,
        ),
        broken(
            "offline.silence_removes",
            "row.deleted == true",
            "row.deleted != false",
            0,
        ),
        broken(
            "offline.silence_ends_somebody",
            "otherwise = \"unknown\"",
            "otherwise = \"ended\"",
            0,
        ),
        broken(
            "offline.letters_lost",
            "family_name = \"/last\"",
            "family_name = { from = \"/last\", value = \"it.matches('^[A-Za-z ]+$') ? it : 'x'\" }",
            0,
        ),
        broken(
            "offline.person_vanishes",
            "row.kind != 'contact'",
            "row.kind == 'employee'",
            0,
        ),
    ] {
        let mut manifest = MANIFEST.replace(one.from, one.to);
        assert_ne!(manifest, MANIFEST, "{}", one.from);
        if one.code == "offline.evidence_not_earned" {
            // Promised, and never told: the total is vouched for and is not recorded.
            manifest = manifest.replace("total = \"/total\"", "total = \"/all\", exact = true");
        }
        let findings = tried(&manifest, RECORDED).await;
        let found = findings.iter().find(|finding| finding.code == one.code);
        let Some(found) = found else {
            panic!("{} is not found: {findings:#?}", one.code);
        };
        assert_eq!(found.file, "manifest.toml");
        let line = place(&manifest, one.to, one.on).0;
        let around = line.saturating_sub(8)..=line + 8;
        assert!(
            around.contains(&found.line),
            "{found:?}, and the flaw is on line {line}"
        );
        assert!(
            !found.message.contains("Kari") && !found.message.contains("Hansen"),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn a_pointer_that_finds_nothing_is_told_with_line_and_column() {
    let manifest = MANIFEST.replace("\"/mail\"", "\"/email\"");
    let findings = tried(&manifest, RECORDED).await;
    let [finding] = findings.as_slice() else {
        panic!("{findings:#?}");
    };
    assert_eq!(finding.code, "offline.field_not_there");
    assert_eq!(
        (finding.line, finding.column),
        place(&manifest, "\"/email\"", 0)
    );
    assert!(
        finding.message.contains("/email") && finding.message.contains("mail"),
        "{finding:?}"
    );
}

#[tokio::test]
async fn recordings_that_are_cut_or_none_are_told() {
    let wrong = RECORDED.replace("\"about\"", "about");
    let findings = tried(MANIFEST, &wrong).await;
    assert_eq!(
        (
            findings[0].code,
            findings[0].file.as_str(),
            findings[0].line
        ),
        ("offline.fixture", "fixtures/recorded.json", 2)
    );
    let cut = RECORDED.replace("\"total\": 2", "\"total\": 114");
    let findings = tried(MANIFEST, &cut).await;
    assert_eq!(
        (findings[0].code, findings[0].note),
        ("offline.total_differs", true)
    );
    let other = RECORDED.replace("GET /v1/people", "GET /v1/persons");
    let findings = tried(MANIFEST, &other).await;
    assert_eq!(
        (findings[0].code, findings[0].note),
        ("offline.not_played", true)
    );
    let findings = tried(MANIFEST, r#"{"about": "nothing"}"#).await;
    assert_eq!(
        (findings[0].code, findings[0].note),
        ("offline.not_played", true)
    );
    // What the recording is known not to show is no flaw of the manifest.
    let without = RECORDED.replace("\"mail\"", "\"post\"");
    assert_eq!(
        tried(MANIFEST, &without).await[0].code,
        "offline.field_not_there"
    );
    let named = without.replace("\"about\": \"Made up.\"", "\"not_shown\": [\"work_email\"]");
    assert_eq!(tried(MANIFEST, &named).await, []);
}

#[tokio::test]
async fn the_built_in_connectors_bear_what_was_recorded_of_their_vendors() {
    for (manifest, recorded) in [
        (
            include_str!("../../../connectors/tripletex/manifest.toml"),
            include_str!("../../../connectors/tripletex/fixtures/recorded-shapes.json"),
        ),
        (
            include_str!("../../../connectors/bamboohr/manifest.toml"),
            include_str!("../../../connectors/bamboohr/fixtures/recorded.json"),
        ),
        (
            include_str!("../../../connectors/humaans/manifest.toml"),
            include_str!("../../../connectors/humaans/fixtures/published.json"),
        ),
    ] {
        let mut findings = tried(manifest, recorded).await;
        findings.retain(|finding| !finding.note);
        assert_eq!(findings, []);
    }
}
