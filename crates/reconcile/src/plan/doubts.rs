//! Holds that come from the read and not from a brake: no person releases them.

use muster_model::Evidence;
use muster_model::plan::{Change, Hold, HoldKind, Planned};

/// The kinds of doubt that hold rows.
const KINDS: [HoldKind; 3] = [HoldKind::Doubt, HoldKind::FirstRead, HoldKind::Unconfirmed];

/// How many rows each doubt holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doubts([u64; 3]);

impl Doubts {
    /// Counts a row.
    pub(super) fn add(&mut self, change: &Change) {
        for (kind, rows) in KINDS.iter().zip(&mut self.0) {
            let held = |planned: &Planned| planned.held == Some(*kind);
            *rows += u64::from(change.effects.iter().any(held));
        }
    }

    /// One hold for each kind of doubt that holds rows.
    pub(super) fn holds(&self, evidence: &Evidence) -> Vec<Hold> {
        KINDS
            .iter()
            .zip(self.0)
            .filter(|(_, rows)| *rows > 0)
            .map(|(kind, rows)| Hold {
                kind: *kind,
                rows,
                reason: reason(*kind, evidence),
                next: next(*kind).to_owned(),
            })
            .collect()
    }
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
