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
    /// Did no sync of the connection ever come to its end? One that was killed
    /// has linked some of the people whom the next one goes on to create.
    pub first_sync: bool,
    /// Rows of each kind let through in the past 24 hours.
    pub let_through: &'a BTreeMap<BrakeKind, u64>,
    /// Administrators who may enter now.
    pub administrators: u64,
    /// Administrators who would lose access by these rows.
    pub administrators_leaving: &'a BTreeSet<PersonId>,
}

/// From how many linked people on a run may not take more than half.
const HALF_FROM: u64 = 4;

/// What brakes see of a row: a million rows have a few outlines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Outline {
    /// Effects that a brake counts, that are held, or that brakes look for; each once.
    effects: BTreeSet<EffectOutline>,
    /// Is it the row of an administrator who would lose access?
    administrator_leaves: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct EffectOutline {
    brake: Option<BrakeKind>,
    held: Option<HoldKind>,
    creates: bool,
    cuts: bool,
}

impl Outline {
    /// The outline of a row.
    #[must_use]
    pub fn of(change: &Change, administrators_leaving: &BTreeSet<PersonId>) -> Self {
        let mut outline = Self::default();
        for planned in &change.effects {
            outline.add(planned);
        }
        outline.administrator_leaves = leaves(change, administrators_leaving);
        outline
    }

    /// Adds an effect that came later.
    pub fn add(&mut self, planned: &Planned) {
        let effect = EffectOutline {
            brake: planned.brake,
            held: planned.held,
            creates: matches!(planned.effect, Effect::Create { .. }),
            cuts: cuts(&planned.effect),
        };
        // What no brake counts or looks for is nothing to them.
        if effect.brake.is_some() || effect.held.is_some() || effect.creates || effect.cuts {
            self.effects.insert(effect);
        }
    }

    fn parts(&mut self, call: impl FnOnce(bool, &mut [Part<'_>]) -> bool) -> bool {
        let mut effects: Vec<EffectOutline> =
            std::mem::take(&mut self.effects).into_iter().collect();
        let mut parts: Vec<Part<'_>> = effects
            .iter_mut()
            .map(|effect| Part {
                brake: &mut effect.brake,
                held: &mut effect.held,
                cuts: effect.cuts,
            })
            .collect();
        let held = call(self.administrator_leaves, &mut parts);
        drop(parts);
        self.effects = effects.into_iter().collect();
        held
    }

    fn has_open(&self, test: impl Fn(BrakeKind) -> bool) -> bool {
        self.effects
            .iter()
            .any(|effect| effect.held.is_none() && effect.brake.is_some_and(&test))
    }

    /// What holds the creation of the row's person.
    fn creation_held(&self) -> Option<HoldKind> {
        self.effects
            .iter()
            .find(|effect| effect.creates)
            .and_then(|effect| effect.held)
    }
}

/// One effect, as a brake takes hold of it.
struct Part<'a> {
    brake: &'a mut Option<BrakeKind>,
    held: &'a mut Option<HoldKind>,
    cuts: bool,
}

impl Part<'_> {
    const fn open(&self) -> bool {
        self.held.is_none()
    }

    fn is(&self, test: impl Fn(BrakeKind) -> bool) -> bool {
        self.open() && self.brake.is_some_and(test)
    }
}

/// What the brakes do to every row, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The kind is not counted.
    Uncount(BrakeKind),
    /// The kind is held.
    Hold(BrakeKind),
    /// All leavers are held: too few would be left.
    HoldLeavers,
    /// The administrators who leave are held.
    HoldAdministrators,
}

impl Step {
    /// Does it to a row; true when something of the row is held by it.
    fn take(self, administrator_leaves: bool, parts: &mut [Part<'_>]) -> bool {
        match self {
            Self::Uncount(kind) => {
                for part in parts {
                    if *part.brake == Some(kind) {
                        *part.brake = None;
                    }
                }
                false
            }
            Self::Hold(kind) => {
                // With a held creation everything else of the row waits.
                let whole = kind == BrakeKind::Create;
                hold(parts, kind.into(), whole, |brake| brake == kind)
            }
            Self::HoldLeavers => hold(parts, HoldKind::TooFewLeft, false, is_leaving),
            Self::HoldAdministrators => {
                if !administrator_leaves || !parts.iter().any(|part| part.open() && part.cuts) {
                    return false;
                }
                hold(parts, HoldKind::LastAdministrator, false, is_leaving);
                true
            }
        }
    }
}

/// What the brakes decided about the rows of a plan, from their outlines alone.
#[derive(Debug, Clone, Default)]
pub struct Braking {
    /// What is held, with its arithmetic.
    pub holds: Vec<Hold>,
    steps: Vec<Step>,
    administrators_leaving: BTreeSet<PersonId>,
}

impl Braking {
    /// Decides about rows, given how many there are of each outline.
    #[must_use]
    pub fn decide(day: &Day<'_>, rows: &[(Outline, u64)]) -> Self {
        let mut deciding = Deciding {
            rows: rows.to_vec(),
            braking: Self {
                administrators_leaving: day.administrators_leaving.clone(),
                ..Self::default()
            },
        };
        for kind in BrakeKind::ALL.iter().copied() {
            // The first run creates everybody: nobody is linked that a share could be of.
            // Its joiners are not counted against the next run of the day either.
            if kind == BrakeKind::Create && (day.linked == 0 || day.first_sync) {
                deciding.step(Step::Uncount(kind));
                continue;
            }
            let rows = deciding.count(|brake| brake == kind);
            let passed = day.let_through.get(&kind).copied().unwrap_or_default();
            let brake = day.brakes.of(kind);
            let limit = brake.limit(day.linked);
            if rows > 0 && rows + passed > limit {
                deciding.step(Step::Hold(kind));
                deciding.braking.holds.push(Hold {
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
        deciding.always_held(day);
        deciding.braking
    }

    /// Holds what is to be held of a row.
    pub fn take(&self, change: &mut Change) {
        let leaves = leaves(change, &self.administrators_leaving);
        let mut held = false;
        {
            let mut parts: Vec<Part<'_>> = change
                .effects
                .iter_mut()
                .map(|planned| Part {
                    cuts: cuts(&planned.effect),
                    brake: &mut planned.brake,
                    held: &mut planned.held,
                })
                .collect();
            for step in &self.steps {
                held |= step.take(leaves, &mut parts);
            }
        }
        change.settles &= !held;
    }

    /// What holds the creation of a person whose row has this outline.
    #[must_use]
    pub fn holds_creation(&self, outline: &Outline) -> Option<HoldKind> {
        let mut outline = outline.clone();
        for step in &self.steps {
            outline.parts(|leaves, parts| step.take(leaves, parts));
        }
        outline.creation_held()
    }
}

/// The outlines while the brakes go through their kinds.
struct Deciding {
    rows: Vec<(Outline, u64)>,
    braking: Braking,
}

impl Deciding {
    fn step(&mut self, step: Step) {
        for (outline, _) in &mut self.rows {
            outline.parts(|leaves, parts| step.take(leaves, parts));
        }
        self.braking.steps.push(step);
    }

    fn count(&self, test: impl Fn(BrakeKind) -> bool) -> u64 {
        let has = |(outline, _): &&(Outline, u64)| outline.has_open(&test);
        self.rows.iter().filter(has).map(|(_, rows)| rows).sum()
    }

    /// What no share can allow: to leave nobody, less than half, or no administrator.
    fn always_held(&mut self, day: &Day<'_>) {
        let leavers = self.count(is_leaving);
        let left = day.linked.saturating_sub(leavers);
        if leavers > 0 && (left == 0 || (day.linked >= HALF_FROM && left * 2 < day.linked)) {
            self.step(Step::HoldLeavers);
            self.braking.holds.push(Hold {
                kind: HoldKind::TooFewLeft,
                rows: leavers,
                reason: format!(
                    "{leavers} of {} linked people would leave at once",
                    day.linked
                ),
                next: "look at the source; if it is right, release each kind by hand".to_owned(),
            });
        }
        // The rows of all administrators who would leave, never some of them picked by
        // chance, when none who may enter would be left.
        let cut = |(outline, _): &&(Outline, u64)| {
            let open = |effect: &EffectOutline| effect.held.is_none() && effect.cuts;
            outline.administrator_leaves && outline.effects.iter().any(open)
        };
        let rows: u64 = self.rows.iter().filter(cut).map(|(_, rows)| rows).sum();
        if rows == 0 || rows < day.administrators {
            return;
        }
        self.step(Step::HoldAdministrators);
        self.braking.holds.push(Hold {
            kind: HoldKind::LastAdministrator,
            rows,
            reason: "no administrator with access would be left".to_owned(),
            next: "make somebody else an administrator first".to_owned(),
        });
    }
}

/// Holds whole kinds that are too many, and says with which arithmetic.
pub fn apply(day: &Day<'_>, changes: &mut [Change]) -> Vec<Hold> {
    let mut rows: BTreeMap<Outline, u64> = BTreeMap::new();
    for change in changes.iter() {
        let outline = Outline::of(change, day.administrators_leaving);
        *rows.entry(outline).or_default() += 1;
    }
    let rows: Vec<(Outline, u64)> = rows.into_iter().collect();
    let braking = Braking::decide(day, &rows);
    for change in changes {
        braking.take(change);
    }
    braking.holds
}

fn leaves(change: &Change, administrators_leaving: &BTreeSet<PersonId>) -> bool {
    change
        .person
        .is_some_and(|person| administrators_leaving.contains(&person))
}

const fn cuts(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Access {
            from: Access::Active,
            to: Access::Suspended
        }
    )
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

const fn is_leaving(brake: BrakeKind) -> bool {
    matches!(brake, BrakeKind::SuspendSaid | BrakeKind::SuspendSilent)
}

fn next(kind: BrakeKind) -> String {
    format!(
        "check the rows; then release them with --allow {}, or leave them: they are computed again at each read",
        HoldKind::from(kind).word()
    )
}

/// Holds what passes the test, or the whole row; true when anything did.
fn hold(
    parts: &mut [Part<'_>],
    kind: HoldKind,
    whole: bool,
    test: impl Fn(BrakeKind) -> bool,
) -> bool {
    if !parts.iter().any(|part| part.is(&test)) {
        return false;
    }
    for part in parts {
        if part.open() && (whole || part.is(&test)) {
            *part.held = Some(kind);
        }
    }
    true
}
