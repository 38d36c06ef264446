//! What the check of a manifest finds, and where.

use muster_model::Field;

use super::{check_manifest, read};

const SMALL: &str = r#"name = "nordlys-hr"
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
leaver = { shows = "flagged", how = "endDate" }
base_urls = [{ title = "Production", url = "https://hr.nordlys.example/v1" }]
company = { id = "{setting.company}" }

[[secrets]]
name = "key"
meaning = "The key."
required = true

[[settings]]
name = "company"
meaning = "The company."

[[authentication]]
bearer = { token = "{secret.key}" }

[[people]]
request = { path = "/people" }
rows = "/data"
id = "/id"
paging = { offset = { parameter = "from", size_parameter = "count", size = "100", end = { short_page = true } } }

[fields]
given_name = "/first"
family_name = { from = ["/last", "/name/last"], value = "trim(it)" }
"#;

fn problems_of(text: &str) -> Vec<(&'static str, usize, usize)> {
    check_manifest(text)
        .into_iter()
        .map(|problem| (problem.code, problem.line, problem.column))
        .collect()
}

/// Line and column of the first place of a text, and so many characters on.
fn place(text: &str, of: &str, on: usize) -> (usize, usize) {
    let at = text.find(of).unwrap() + on;
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    (line, at - before.rfind('\n').map_or(0, |end| end + 1) + 1)
}

#[test]
fn a_sound_manifest_has_no_problem_and_keeps_the_order_of_fields() {
    assert_eq!(check_manifest(SMALL), []);
    let (_, info) = read(SMALL).unwrap();
    let fields: Vec<Field> = info.fields.iter().map(|source| source.field).collect();
    assert_eq!(fields, [Field::GivenName, Field::FamilyName]);
    assert_eq!(info.fields[1].from, "/last, else /name/last; `trim(it)`");
}

#[test]
fn every_problem_is_told_with_its_place() {
    let bad = SMALL
        .replace("nordlys-hr", "Nordlys HR")
        .replace("https://hr", "http://hr")
        .replace("family_name =", "surname =");
    let (line, column) = place(&bad, "surname", 0);
    assert_eq!(
        problems_of(&bad),
        [
            ("manifest.name", 1, 8),
            ("manifest.url", 13, 44),
            ("manifest.unknown_field", line, column),
        ]
    );
}

#[test]
fn what_cannot_be_run_is_told_where_it_stands() {
    for (from, to, code, at, on) in [
        // Inside an expression, at the character.
        (
            "trim(it)",
            "trim(it, 2)",
            "manifest.expression",
            "\"trim(",
            0,
        ),
        ("trim(it)", "row.a +", "manifest.expression", "row.a +", 7),
        ("trim(it)", "rows.a", "manifest.expression", "\"rows.a", 0),
        (
            "{secret.key}",
            "{secret.token}",
            "manifest.unknown_setting",
            "\"{secret.token}",
            0,
        ),
        (
            "{secret.key}",
            "{secret.key",
            "manifest.expression",
            "\"{secret.key",
            0,
        ),
        (
            "\"/first\"",
            "\"first\"",
            "manifest.pointer",
            "\"first\"",
            0,
        ),
        (
            "\"/first\"",
            "\"dept:/first\"",
            "manifest.unknown_join",
            "\"dept:",
            0,
        ),
        (
            "\"/name/last\"",
            "\"/name[last\"",
            "manifest.pointer",
            "\"/name[last",
            0,
        ),
        (
            "short_page = true",
            "exact = true",
            "manifest.end",
            "end = { exact",
            0,
        ),
        (
            "size = \"100\"",
            "size = \"many\"",
            "manifest.size",
            "\"many",
            0,
        ),
        (
            "level = \"ended\"",
            "level = \"counted\"",
            "manifest.evidence",
            "\"counted",
            0,
        ),
        (
            "given_name = \"/first\"",
            "employment_status = { from = \"/state\", codes = { A = \"working\" } }",
            "manifest.status",
            "\"working",
            0,
        ),
        (
            "given_name = \"/first\"",
            "employment_status = { from = \"/state\", otherwise = \"gone\" }",
            "manifest.status",
            "\"gone",
            0,
        ),
        (
            "\"/people\"",
            "\"people\"",
            "manifest.path",
            "\"people\"",
            0,
        ),
    ] {
        let bad = SMALL.replacen(from, to, 1);
        let problems = check_manifest(&bad);
        let (line, column) = place(&bad, at, on);
        assert!(
            problems
                .iter()
                .any(|problem| problem.code == code
                    && (problem.line, problem.column) == (line, column)),
            "{to}: {line}:{column} {problems:?}"
        );
    }
}

#[test]
fn a_field_that_is_none_is_told_with_those_there_are() {
    let problems = check_manifest(&SMALL.replace("family_name =", "cost_center ="));
    for field in Field::ALL {
        assert!(
            problems[0].message.contains(field.name()),
            "{field}: {problems:?}"
        );
    }
}

/// Who writes a connector finds the names in the guide.
#[test]
fn the_guide_names_every_field() {
    let guide = include_str!("../../../../docs/connectors/writing-a-connector.md");
    for field in Field::ALL {
        let name = field.name();
        let named = guide.contains(&format!("`{name}`")) || guide.contains(&format!("`[{name}]`"));
        assert!(named, "{name}");
    }
}

#[test]
fn a_setting_that_is_not_declared_is_told_once() {
    let bad = SMALL.replace("size = \"100\"", "size = \"{setting.page_size}\"");
    let codes: Vec<_> = problems_of(&bad).iter().map(|found| found.0).collect();
    assert_eq!(codes, ["manifest.unknown_setting"]);
}

#[test]
fn what_is_missing_is_told() {
    for (from, code) in [
        (
            "[[authentication]]\nbearer = { token = \"{secret.key}\" }\n",
            "manifest.authentication",
        ),
        (
            "company = { id = \"{setting.company}\" }\n",
            "manifest.empty",
        ),
        (
            "offset = { parameter = \"from\", size_parameter = \"count\", size = \"100\", end = { short_page = true } }",
            "manifest.paging",
        ),
    ] {
        let problems = check_manifest(&SMALL.replacen(from, "", 1));
        assert!(
            problems.iter().any(|problem| problem.code == code),
            "{from}: {problems:?}"
        );
    }
}

#[test]
fn a_name_that_stands_twice_is_told() {
    let bad = SMALL.replace("name = \"company\"", "name = \"key\"");
    assert!(problems_of(&bad).contains(&("manifest.name_twice", 22, 8)));
}

#[test]
fn what_is_no_toml_or_no_manifest_is_told_with_its_line() {
    for (text, line) in [("name = \"a\"\ntitle = ", 2), ("nmae = \"a\"", 1), ("", 1)] {
        let problems = check_manifest(text);
        assert_eq!(problems.len(), 1, "{text}");
        assert_eq!(problems[0].code, "manifest.syntax");
        assert_eq!(problems[0].line, line, "{text}");
    }
    // Deep inside, serde's own place is kept.
    let bad = SMALL.replace("value = \"trim(it)\"", "valeu = \"trim(it)\"");
    let (line, column) = place(&bad, "valeu", 0);
    assert_eq!(problems_of(&bad), [("manifest.syntax", line, column)]);
}
