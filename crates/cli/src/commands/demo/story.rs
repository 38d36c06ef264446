//! What the demo tells.

use std::collections::{BTreeMap, BTreeSet};

use muster_engine::Engine;
use muster_engine::directory::ShownPerson;
use muster_engine::run::Made;
use muster_model::plan::{Change, Effect, FieldValue};
use muster_model::report::Class;
use muster_model::{EngagementStatus, Field, Fields, PersonId, RunReport, Said};
use muster_sandbox::company::Rehearsal;
use muster_storage::Organisation;

/// What the simulated system has no field for.
const MANAGER: &str = "manager_external_id";

/// Where everything stands before the first sync.
pub(super) fn beginning(rehearsal: &Rehearsal, address: &str) -> String {
    let company = rehearsal.on_day(0);
    format!(
        "{}: {} employee records in {} departments, in a Tripletex simulator at {address}\n",
        company.name,
        company.employees.len(),
        company.departments.len(),
    )
}

/// The first sync.
pub(super) fn first(report: &RunReport) -> String {
    let mut words = vec!["First sync".to_owned()];
    words.extend(numbers(report));
    words.join("\n")
}

/// The second sync, with each person and the reason.
pub(super) async fn second(
    engine: &Engine,
    organisation: &Organisation,
    rehearsal: &Rehearsal,
    days: i32,
    made: &Made,
) -> anyhow::Result<String> {
    let mut names: BTreeMap<PersonId, String> = BTreeMap::new();
    engine
        .people(organisation, None, |person: ShownPerson| {
            names.insert(person.id, name(&person));
            Ok::<(), anyhow::Error>(())
        })
        .await?;
    let books = rehearsal.between(0, days);
    // The policy covers who has a work e-mail.
    let covered: BTreeSet<u64> = rehearsal
        .on_day(days)
        .employees
        .iter()
        .filter(|employee| employee.work_email.is_some())
        .map(|employee| employee.id)
        .collect();
    let of = |ids: &BTreeSet<u64>| ids.intersection(&covered).count();
    let seen: BTreeSet<u64> = rehearsal
        .changes()
        .into_iter()
        .filter(|change| change.day <= days && change.fields != [MANAGER])
        .map(|change| change.employee)
        .collect();
    let hidden = books
        .movers
        .difference(&seen)
        .filter(|id| covered.contains(id))
        .count();
    let mut words = vec![String::new(), format!("{days} days later: second sync")];
    words.extend(numbers(&made.report));
    words.push(format!(
        "  the company's own books: {} joined, {} came back, {} left, {} moved{}",
        of(&books.joiners),
        of(&books.returners),
        of(&books.leavers),
        of(&books.movers) - hidden,
        if hidden == 0 {
            String::new()
        } else {
            format!(" ({hidden} more under another manager, which Tripletex does not tell)")
        },
    ));
    let changes = made
        .planned
        .as_ref()
        .map(|planned| planned.plan.changes.as_slice());
    let changes = changes.unwrap_or_default();
    for (title, classes) in [
        ("Joiners", &[Class::Created][..]),
        ("Returned", &[Class::Restored]),
        ("Leavers", &[Class::Suspended, Class::Ended]),
        ("Movers", &[Class::Updated, Class::Linked]),
        (
            "Waiting for a person",
            &[Class::Ambiguous, Class::Conflicts, Class::Held],
        ),
    ] {
        let rows: Vec<&Change> = changes
            .iter()
            .filter(|change| change.class().is_some_and(|class| classes.contains(&class)))
            .collect();
        if rows.is_empty() {
            continue;
        }
        words.push(String::new());
        words.push(format!("{title} ({})", rows.len()));
        words.extend(rows.into_iter().map(|change| row(change, &names)));
    }
    Ok(words.join("\n"))
}

/// The mails that would go out: the demo has no mail server.
pub(super) fn mail(report: &RunReport) -> String {
    let counts = &report.counts;
    format!(
        "\nMail that would be sent\n  to the administrators: \"Sync finished ({}): {} created, {} suspended, {} updated, {} waiting for you\"\n  invitations: {} (people of this preset wait until somebody invites them)\n",
        report.outcome.name(),
        counts.created,
        counts.suspended,
        counts.updated,
        counts.held + counts.conflicts + counts.ambiguous,
        report.messages.invited,
    )
}

fn numbers(report: &RunReport) -> Vec<String> {
    let evidence = &report.evidence;
    let mut words = vec![format!(
        "  read {} records on {} pages; proof: {}, {}",
        report.people.read,
        evidence.pages,
        evidence.level.name(),
        if evidence.complete {
            "complete"
        } else {
            "not complete"
        },
    )];
    let counts = &report.counts;
    let shown: Vec<String> = [
        ("created", counts.created),
        ("restored", counts.restored),
        ("suspended", counts.suspended),
        ("ended", counts.ended),
        ("linked", counts.linked),
        ("updated", counts.updated),
        ("ambiguous", counts.ambiguous),
        ("held", counts.held),
        ("failed", counts.failed),
        ("ignored (left before we knew them)", counts.ignored),
        ("unchanged", counts.unchanged),
        ("out of scope (no work e-mail)", report.people.out_of_scope),
    ]
    .into_iter()
    .filter(|(_, number)| *number > 0)
    .map(|(name, number)| format!("{number} {name}"))
    .collect();
    words.push(format!("  {}", shown.join(", ")));
    for doubt in &evidence.doubts {
        words.push(format!("  doubt: {}", doubt.detail));
    }
    for hold in &report.holds {
        words.push(format!(
            "  held: {} rows ({}): {}",
            hold.rows, hold.kind, hold.reason
        ));
    }
    words
}

fn row(change: &Change, names: &BTreeMap<PersonId, String>) -> String {
    let created = change
        .effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::Create { fields, .. } => Some(name_of(fields)),
            _ => None,
        });
    let known = change.person.and_then(|person| names.get(&person).cloned());
    let record = change
        .external_id
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let name = created
        .or(known)
        .unwrap_or_else(|| format!("record {record}"));
    let effects: Vec<String> = change
        .effects
        .iter()
        .filter_map(|planned| effect(&planned.effect))
        .collect();
    let reasons: Vec<&str> = change
        .reasons
        .iter()
        .map(|reason| reason.detail.as_str())
        .collect();
    let mut words = format!("  {name:<28} {}", effects.join("; "));
    if !reasons.is_empty() {
        words.push_str(&format!("  — {}", reasons.join("; ")));
    }
    words
}

fn effect(effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::Create { access, .. } => format!("created, access {}", access.name()),
        Effect::Access { from, to } => format!("access {} → {}", from.name(), to.name()),
        Effect::Employment {
            to: EngagementStatus::Ended,
            ..
        } => "employment ended".to_owned(),
        Effect::Employment { to, .. } => format!("employment {}", to.name()),
        Effect::Set {
            field: Field::Engagements,
            ..
        } => return None,
        Effect::Set { field, from, to } => format!("{field}: {} → {}", shown(from), shown(to)),
        Effect::Manager { from, .. } if from.is_some() => "another manager".to_owned(),
        Effect::Manager { .. } => return None,
        Effect::Link => "linked".to_owned(),
        _ => return None,
    })
}

fn shown(said: &Said<FieldValue>) -> String {
    said.value()
        .map_or_else(|| "–".to_owned(), |value| value.value.shown())
}

fn name(person: &ShownPerson) -> String {
    let text = |name: &str| {
        person
            .fields
            .get(name)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    format!("{} {}", text("given_name"), text("family_name"))
        .trim()
        .to_owned()
}

fn name_of(fields: &Fields) -> String {
    let text = |field| fields.text(field).unwrap_or_default();
    format!("{} {}", text(Field::GivenName), text(Field::FamilyName))
        .trim()
        .to_owned()
}
