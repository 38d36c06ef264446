//! Is that too much for one day? (`engine.md`, Brakes.)

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{Change, Hold, HoldKind, Planned};
use muster_model::policy::{BrakeKind, Brakes};
use muster_model::{Access, Effect, PersonId};

/// What the brakes count against.
#[derive(Debug)]
pub struct Day<'a> {
    /// Floors and shares.
    pub brakes: &'a Brakes,
    /// Linked people in scope before the run.
    pub linked: u64,
    /// Rows of each kind let through in the past 24 hours.
    pub let_through: &'a BTreeMap<BrakeKind, u64>,
    /// Administrators who may enter now.
    pub administrators: u64,
    /// Administrators who would lose access by these rows.
    pub administrators_leaving: &'a BTreeSet<PersonId>,
}

/// From how many linked people on a run may not take more than half.
const HALF_FROM: u64 = 4;

/// Holds whole kinds that are too many, and says with which arithmetic.
pub fn apply(day: &Day<'_>, changes: &mut [Change]) -> Vec<Hold> {
    let mut holds = Vec::new();
    for kind in BrakeKind::ALL.iter().copied() {
        // The first run creates everybody: nobody is linked that a share could be of.
        // Its joiners are not counted against the next run of the day either.
        if kind == BrakeKind::Create && day.linked == 0 {
            uncount(changes, kind);
            continue;
        }
        let rows = count(changes, |planned| planned.brake == Some(kind));
        let passed = day.let_through.get(&kind).copied().unwrap_or_default();
        let brake = day.brakes.of(kind);
        let limit = brake.limit(day.linked);
        if rows > 0 && rows + passed > limit {
            hold(changes, kind.into(), |planned| planned.brake == Some(kind));
            holds.push(Hold {
                kind: kind.into(),
                rows,
                reason: format!(
                    "{rows} in this run and {passed} in the past 24 hours are more than {limit}: \
                     the larger of {} and {} % of {} linked people",
                    brake.floor, brake.share_percent, day.linked
                ),
                next: next(kind),
            });
        }
    }
    holds.extend(always_held(day, changes));
    holds
}

/// What no share can allow: to leave nobody, less than half, or no administrator.
fn always_held(day: &Day<'_>, changes: &mut [Change]) -> Vec<Hold> {
    let mut holds = Vec::new();
    let leavers = count(changes, is_leaving);
    let left = day.linked.saturating_sub(leavers);
    if leavers > 0 && (left == 0 || (day.linked >= HALF_FROM && left * 2 < day.linked)) {
        hold(changes, HoldKind::TooFewLeft, is_leaving);
        holds.push(Hold {
            kind: HoldKind::TooFewLeft,
            rows: leavers,
            reason: format!(
                "{leavers} of {} linked people would leave at once",
                day.linked
            ),
            next: "look at the source; if it is right, release each kind by hand".to_owned(),
        });
    }
    holds.extend(hold_last_administrators(day, changes));
    holds
}

/// Holds the rows of all administrators who would leave, never some of them
/// picked by chance, when none who may enter would be left.
fn hold_last_administrators(day: &Day<'_>, changes: &mut [Change]) -> Option<Hold> {
    let cut = |planned: &Planned| {
        matches!(
            planned.effect,
            Effect::Access {
                from: Access::Active,
                to: Access::Suspended
            }
        )
    };
    let leaves = |change: &&mut Change| {
        change
            .person
            .is_some_and(|person| day.administrators_leaving.contains(&person))
            && change
                .effects
                .iter()
                .any(|planned| open(planned) && cut(planned))
    };
    let mut leaving: Vec<&mut Change> = changes.iter_mut().filter(leaves).collect();
    let rows = leaving.len() as u64;
    if rows == 0 || rows < day.administrators {
        return None;
    }
    for change in &mut leaving {
        change.settles = false;
        for planned in &mut change.effects {
            if open(planned) && is_leaving(planned) {
                planned.held = Some(HoldKind::LastAdministrator);
            }
        }
    }
    Some(Hold {
        kind: HoldKind::LastAdministrator,
        rows,
        reason: "no administrator with access would be left".to_owned(),
        next: "make somebody else an administrator first".to_owned(),
    })
}

/// Opens what a person released. The row does not settle by it: its record is
/// planned once more, and comes to rest when nothing is left.
pub fn release(change: &mut Change, kind: HoldKind) {
    if !kind.can_be_released() {
        return;
    }
    for planned in &mut change.effects {
        if planned.held == Some(kind) {
            planned.held = None;
        }
    }
}

const fn is_leaving(planned: &Planned) -> bool {
    matches!(
        planned.brake,
        Some(BrakeKind::SuspendSaid | BrakeKind::SuspendSilent)
    )
}

fn next(kind: BrakeKind) -> String {
    format!(
        "check the rows; then release them with --allow {}, or leave them: they are computed again at each read",
        HoldKind::from(kind).word()
    )
}

fn open(planned: &Planned) -> bool {
    planned.held.is_none()
}

fn count(changes: &[Change], test: impl Fn(&Planned) -> bool) -> u64 {
    changes
        .iter()
        .filter(|change| {
            change
                .effects
                .iter()
                .any(|planned| open(planned) && test(planned))
        })
        .count() as u64
}

/// Takes effects of a kind out of the brake's sight.
fn uncount(changes: &mut [Change], kind: BrakeKind) {
    for planned in changes.iter_mut().flat_map(|change| &mut change.effects) {
        if planned.brake == Some(kind) {
            planned.brake = None;
        }
    }
}

fn hold(changes: &mut [Change], kind: HoldKind, test: impl Fn(&Planned) -> bool) {
    for change in changes {
        if !change
            .effects
            .iter()
            .any(|planned| open(planned) && test(planned))
        {
            continue;
        }
        change.settles = false;
        // With a held creation everything else of the row waits.
        let whole = kind == HoldKind::Create;
        for planned in &mut change.effects {
            if open(planned) && (whole || test(planned)) {
                planned.held = Some(kind);
            }
        }
    }
}
