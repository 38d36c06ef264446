//! The rules printed as the tables of `docs/engine/`: a test compares the two,
//! so that the page that an administrator reads is what the program does.

use muster_model::policy::{BrakeKind, Policy, Preset};
use muster_model::{Field, Flow, MatchKey, Reaction};

use crate::compare;
use crate::trust;

/// The comparing table.
#[must_use]
pub fn comparing() -> Vec<Vec<String>> {
    compare::TABLE
        .iter()
        .map(|line| line.cells.iter().map(|cell| (*cell).to_owned()).collect())
        .collect()
}

/// The trust table.
#[must_use]
pub fn trust() -> Vec<Vec<String>> {
    trust::TABLE
        .iter()
        .map(|condition| {
            std::iter::once(condition.needs)
                .chain(condition.cells)
                .map(ToOwned::to_owned)
                .collect()
        })
        .collect()
}

/// The reactions, in the lines of their page: each stands in exactly one.
pub const REACTIONS: &[(&[Reaction], &str)] = &[
    (
        &[
            Reaction::Create,
            Reaction::Link,
            Reaction::Update,
            Reaction::Restore,
        ],
        "as they say",
    ),
    (
        &[Reaction::Offer],
        "shown as candidate; nothing is created until somebody picks",
    ),
    (
        &[Reaction::Invite, Reaction::Withdraw],
        "send or cancel the invitation",
    ),
    (
        &[Reaction::Suspend, Reaction::End],
        "access off and reversible; employment over, licences back",
    ),
    (
        &[Reaction::Remove],
        "the directory entry goes (only people who never had access)",
    ),
    (
        &[Reaction::AddToSource, Reaction::UpdateSource],
        "an outward row",
    ),
    (&[Reaction::Ask], "a decision by a person"),
    (&[Reaction::Report], "counted and explained, nothing else"),
];

/// The reactions table.
#[must_use]
pub fn reactions() -> Vec<Vec<String>> {
    REACTIONS
        .iter()
        .map(|(reactions, effect)| {
            let words: Vec<&str> = reactions.iter().map(|one| one.word()).collect();
            vec![words.join(", "), (*effect).to_owned()]
        })
        .collect()
}

/// The brakes table.
#[must_use]
pub fn brakes() -> Vec<Vec<String>> {
    let brakes = muster_model::policy::Brakes::default();
    BrakeKind::ALL
        .iter()
        .map(|kind| {
            let brake = brakes.of(*kind);
            vec![
                kind.word().to_owned(),
                brake.floor.to_string(),
                format!("{} %", brake.share_percent),
            ]
        })
        .collect()
}

/// The presets table.
#[must_use]
pub fn presets() -> Vec<Vec<String>> {
    let policies: Vec<Policy> = Preset::ALL.into_iter().map(Preset::policy).collect();
    let line = |name: &str, cell: &dyn Fn(&Policy) -> String| {
        std::iter::once(name.to_owned())
            .chain(policies.iter().map(cell))
            .collect::<Vec<_>>()
    };
    vec![
        line("read", &|policy| policy.read.cell().to_owned()),
        line("scope", &scope),
        line("match, in order", &keys),
        line("new", &|policy| policy.new.cell().to_owned()),
        line("ours only", &|policy| policy.ours_only.cell().to_owned()),
        line("fields of a linked person", &fields),
        line("ended, removed", &|policy| policy.ended.cell().to_owned()),
        line("gone", &|policy| {
            if policy.cuts_as(policy.gone, policy.ended) {
                first_of(policy, "as ended, after confirmation", "the same")
            } else {
                policy.gone.cell().to_owned()
            }
        }),
        line("out of scope", &|policy| {
            if policy.cuts_as(policy.out_of_scope, policy.gone) {
                first_of(
                    policy,
                    "as gone; the count is shown before a filter is saved",
                    "as gone",
                )
            } else {
                policy.out_of_scope.cell().to_owned()
            }
        }),
        line("owner, last administrator, protected people", &|policy| {
            policy.protected.cell().to_owned()
        }),
        line("apply", &|policy| policy.apply.cell().to_owned()),
        line("disconnect", &|policy| policy.disconnect.cell().to_owned()),
    ]
}

/// The page says a thing in full where it first stands, and refers to it after.
fn first_of(policy: &Policy, full: &str, again: &str) -> String {
    if policy.preset == Preset::Provision {
        full.to_owned()
    } else {
        again.to_owned()
    }
}

fn scope(policy: &Policy) -> String {
    if policy.scope.is_empty() {
        return "all".to_owned();
    }
    let names: Vec<&str> = policy.scope.iter().map(|field| field.name()).collect();
    format!("has {}", names.join(" and "))
}

fn keys(policy: &Policy) -> String {
    use muster_model::policy::MatchedReaction;
    let names: Vec<&str> = std::iter::once("record id")
        .chain(policy.keys.iter().map(|key: &MatchKey| key.field().name()))
        .collect();
    let mut cell = names.join("; ");
    if policy.matched == MatchedReaction::Taken {
        cell.push_str(" (then taken: greyed out)");
    }
    if policy.keys_must_agree {
        cell.push_str("; both must agree when both are there");
    }
    cell
}

fn fields(policy: &Policy) -> String {
    let flowing = |wanted: Flow| {
        policy
            .flows
            .values()
            .filter(|flow| **flow == wanted)
            .count()
    };
    if flowing(Flow::Both) == 8 {
        "eight fields, both; conflicts ask; ours go out at once after the first sync, theirs come in at a sync".to_owned()
    } else if flowing(Flow::In) == Field::ALL.len() {
        "in; the source owns what it says".to_owned()
    } else if flowing(Flow::In) > 0 {
        "in for manager, team, department; the rest is ours".to_owned()
    } else {
        "off (GRJ-20)".to_owned()
    }
}
