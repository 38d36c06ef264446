//! The page of a connector in the documentation, written from its manifest.

use std::fmt::Write;

use muster_connect::ConnectorInfo;
use muster_connect::manifest::{Confidence, Input};

/// The page, in Markdown.
pub(super) fn of(info: &ConnectorInfo) -> String {
    let mut page = format!(
        "<!-- Written from connectors/{name}/ by MUSTER_UPDATE_DOCS=1 cargo test -p muster-cli --test catalogue -->\n\n\
         # {title}\n\n{summary}\n\n\
         | | |\n|---|---|\n| Name | `{name}` |\n| Confidence | {confidence} |\n| Pinned when connecting | {account} |\n\
         | Leavers | {leaver} |\n| Proof of a whole read | {level}: {end} |\n| Dates | {dates} |\n",
        name = info.name,
        title = info.title,
        summary = info.summary,
        confidence = match info.confidence {
            Confidence::Verified => "verified, from the vendor's own documents",
            Confidence::Unverified => "unverified: from third parties",
        },
        account = info.account,
        leaver = info.leaver.how,
        level = info.evidence.level.name(),
        end = info.evidence.end,
        dates = info.dates,
    );
    if let Some(changes) = &info.changes {
        row(
            &mut page,
            "What changed",
            &format!(
                "can be asked for, from {} seconds before the last read; everybody is read every {} hours",
                changes.overlap_seconds, changes.full_hours
            ),
        );
    }
    if info.webhooks {
        row(&mut page, "Webhooks", "their signature is checked");
    }
    numbered(&mut page, "What to do at the vendor", &info.administrator);
    bulleted(&mut page, "Rights that the credentials need", &info.rights);
    inputs(&mut page, "Secrets", "--secret NAME=@FILE", &info.secrets);
    inputs(&mut page, "Settings", "--set NAME=VALUE", &info.settings);
    let addresses: Vec<String> = (info.base_urls.iter())
        .map(|base| format!("{}: `{}`", base.title, base.url))
        .collect();
    bulleted(&mut page, "Addresses", &addresses);
    bulleted(&mut page, "Features", &info.features);
    let mut fields = String::from("\n## Fields\n\n| Field | From |\n|---|---|\n");
    for source in &info.fields {
        row(&mut fields, &format!("`{}`", source.field), &source.from);
    }
    page.push_str(&fields);
    page.push_str(
        "\nA connection can read a field from elsewhere: the setting `map.FIELD` is a pointer \
         (`/customField`), to which what is done with the value still applies, a CEL \
         expression that begins with `=`, or a table as in a manifest, in braces.\n",
    );
    let hidden: Vec<String> = (info.hidden_without_rights.iter())
        .map(|field| format!("`{field}`"))
        .collect();
    bulleted(
        &mut page,
        "Fields that come back empty without rights",
        &hidden,
    );
    let writes: Vec<String> = info
        .writes
        .iter()
        .map(|field| format!("`{field}`"))
        .collect();
    bulleted(&mut page, "Fields that can be written", &writes);
    bulleted(&mut page, "Limits", &info.limits);
    bulleted(&mut page, "Not certain", &info.uncertain);
    let links: Vec<String> = (info.links.iter())
        .map(|link| format!("[{}]({})", link.title, link.url))
        .collect();
    bulleted(&mut page, "The vendor's documents", &links);
    // The notes stand below, one level deeper; code is left as it is.
    page.push('\n');
    let mut in_code = false;
    for line in info.notes.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if line.starts_with('#') && !in_code {
            page.push('#');
        }
        page.push_str(line);
        page.push('\n');
    }
    page
}

fn bulleted(page: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        let lines: Vec<String> = lines.iter().map(|line| format!("- {line}")).collect();
        section(page, title, &lines.join("\n"));
    }
}

fn numbered(page: &mut String, title: &str, lines: &[String]) {
    let lines: Vec<String> = (lines.iter().enumerate())
        .map(|(number, line)| format!("{}. {line}", number + 1))
        .collect();
    section(page, title, &lines.join("\n"));
}

fn inputs(page: &mut String, title: &str, how: &str, inputs: &[Input]) {
    if inputs.is_empty() {
        return;
    }
    let mut table =
        format!("`{how}`\n\n| Name | Needed | Default | Meaning |\n|---|---|---|---|\n");
    for input in inputs {
        let default = input.default.as_ref().map(|default| format!("`{default}`"));
        let cells = [
            format!("`{}`", input.name),
            if input.required { "yes" } else { "no" }.to_owned(),
            default.unwrap_or_default(),
            input.meaning.replace('|', "\\|"),
        ];
        // Writing to a text cannot fail.
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    }
    section(page, title, table.trim_end());
}

fn row(table: &mut String, name: &str, what: &str) {
    let _ = writeln!(table, "| {name} | {} |", what.replace('|', "\\|"));
}

fn section(page: &mut String, title: &str, body: &str) {
    let _ = write!(page, "\n## {title}\n\n{body}\n");
}
