//! Holds that come from the read and not from a brake: no person releases them.

use muster_model::Evidence;
use muster_model::plan::{Change, Hold, HoldKind};

/// One hold for each kind of doubt that holds rows.
pub(super) fn holds(evidence: &Evidence, changes: &[Change]) -> Vec<Hold> {
    [HoldKind::Doubt, HoldKind::FirstRead, HoldKind::Unconfirmed]
        .into_iter()
        .filter_map(|kind| {
            let held = |change: &&Change| {
                change
                    .effects
                    .iter()
                    .any(|planned| planned.held == Some(kind))
            };
            let rows = changes.iter().filter(held).count() as u64;
            (rows > 0).then(|| Hold {
                kind,
                rows,
                reason: reason(kind, evidence),
                next: next(kind).to_owned(),
            })
        })
        .collect()
}

fn reason(kind: HoldKind, evidence: &Evidence) -> String {
    match kind {
        HoldKind::Doubt if !evidence.doubts.is_empty() => evidence
            .doubts
            .iter()
            .map(|doubt| format!("{}: {}", doubt.kind.code(), doubt.detail))
            .collect::<Vec<_>>()
            .join("; "),
        HoldKind::Doubt => {
            "the read proves no absence, or a record could not be read whole".to_owned()
        }
        HoldKind::FirstRead => "this is the first time that these records are seen".to_owned(),
        _ => "missing from the read, and not confirmed by the source".to_owned(),
    }
}

const fn next(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::Doubt => "the next read that can be believed in full decides by itself",
        HoldKind::FirstRead => "nobody is suspended in the first read; the next one decides",
        _ => "the next read decides, once the silence is confirmed",
    }
}
