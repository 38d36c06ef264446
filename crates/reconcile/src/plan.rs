//! What exactly would change? Takes every touched record through the steps and
//! makes one stored, hashed change set of the answers.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{
    Cause, Change, Effect, Hold, HoldKind, ManagerProblemKind, Planned, Precondition, Quiet, Rest,
};
use muster_model::policy::BrakeKind;
use muster_model::report::PeopleCounts;
use muster_model::{Access, DoubtKind, Evidence, ExternalId, Plan, Reaction, Reason, Situation};

use crate::brakes::{self, Day};
use crate::input::{Confirmation, Input};
use crate::managers::{self, Statement};
use crate::trust::{self, Follows, Verdict};

mod engagements;
mod missing;
mod record;

/// Why nothing can be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Another company answered.
    #[error(
        "trust.other_account: another company answered than the one this connection was made for; \
         nothing was planned. Check the credentials, or connect the other company under a name of its own"
    )]
    OtherAccount,
}

impl PlanError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherAccount => "trust.other_account",
        }
    }
}

/// How many missing records are asked for by id in one run: more are held anyway.
const MOST_QUESTIONS: usize = 500;

/// The missing records that the source must be asked for by id before a plan is
/// made: the first pass of the pure function. None when silence could prove
/// nothing in this read.
#[must_use]
pub fn questions(input: &Input<'_>) -> Vec<ExternalId> {
    if !input.can_confirm || !input.policy.cuts(input.policy.gone) {
        return Vec::new();
    }
    let mut evidence = input.evidence.clone();
    if !judge(input, &mut evidence).allows(Follows::Gone) {
        return Vec::new();
    }
    input
        .touched
        .iter()
        .filter(|touched| touched.record.is_none() && touched.link.is_some())
        .filter_map(|touched| touched.external_id.clone())
        .take(MOST_QUESTIONS)
        .collect()
}

fn judge(input: &Input<'_>, evidence: &mut Evidence) -> Verdict {
    trust::judge(
        evidence,
        &input.summary,
        input.history,
        input.policy,
        input.account,
        input.now,
    )
}

/// Makes the plan.
///
/// # Errors
/// [`PlanError::OtherAccount`]: an account that changed stops the run.
pub fn plan(mut input: Input<'_>) -> Result<Plan, PlanError> {
    let mut evidence = input.evidence.clone();
    let came_back = input
        .confirmations
        .values()
        .filter(|answer| **answer == Confirmation::Present)
        .count();
    if came_back > 0 {
        evidence.doubt(
            DoubtKind::MissingCameBack,
            format!("{came_back} people missing from the read are there when asked for by id"),
        );
    }
    evidence.confirmed_gone = (input.confirmations.len() - came_back) as u64;
    let verdict = judge(&input, &mut evidence);
    if evidence.has(DoubtKind::OtherAccount) {
        return Err(PlanError::OtherAccount);
    }
    let mut rows = Rows::new(&input, evidence.read);
    let mut touched = std::mem::take(&mut input.touched);
    touched.sort_by(|one, two| {
        (
            &one.external_id,
            one.person.as_ref().map(|person| person.id),
        )
            .cmp(&(
                &two.external_id,
                two.person.as_ref().map(|person| person.id),
            ))
    });
    for touched in &touched {
        match &touched.record {
            Some(record) => record::plan(&input, &verdict, touched, record, &mut rows),
            None => missing::plan(&input, &verdict, touched, &mut rows),
        }
    }
    resolve_managers(&input, &mut rows);
    let mut holds = brakes::apply(
        &Day {
            brakes: &input.policy.brakes,
            linked: input.linked,
            let_through: &input.let_through,
            administrators: input.administrators,
            administrators_leaving: rows.administrators_leaving,
        },
        &mut rows.changes,
    );
    holds.extend(doubtful(&evidence, &rows.changes));
    let mut plan = Plan {
        connection: input.connection,
        cause: Cause::Read,
        made_for: input.today,
        made_at: input.now,
        evidence,
        people: rows.people,
        resting: rows.resting,
        quiet: rows.quiet,
        changes: rows.changes,
        holds,
        managers: rows.managers,
        // The hash covers the rest of the plan, so it comes last.
        hash: input.key.digest("plan", ""),
    };
    plan.hash = plan.compute_hash(input.key);
    Ok(plan)
}

/// What the steps collect.
struct Rows {
    changes: Vec<Change>,
    quiet: Vec<Quiet>,
    statements: Vec<Statement>,
    people: PeopleCounts,
    resting: muster_model::plan::RestCounts,
    managers: Vec<muster_model::plan::ManagerProblem>,
    administrators_leaving: u64,
}

impl Rows {
    fn new(input: &Input<'_>, read: u64) -> Self {
        Self {
            changes: Vec::new(),
            quiet: Vec::new(),
            statements: Vec::new(),
            people: PeopleCounts {
                read,
                out_of_scope: input.untouched.out_of_scope,
                invalid: 0,
                gone: 0,
            },
            resting: input.untouched,
            managers: Vec::new(),
            administrators_leaving: 0,
        }
    }

    /// Lays a record to rest.
    fn rest(&mut self, quiet: Quiet) {
        self.resting.add(quiet.rest, 1);
        self.quiet.push(quiet);
    }

    fn push(&mut self, change: Change) {
        self.changes.push(change);
    }
}

/// The pass over the managers, and its effects on the rows.
fn resolve_managers(input: &Input<'_>, rows: &mut Rows) {
    if rows.statements.is_empty() {
        return;
    }
    let coming: BTreeSet<ExternalId> = rows
        .changes
        .iter()
        .filter(|change| {
            change.effects.iter().any(|planned| {
                matches!(planned.effect, Effect::Create { .. } | Effect::Link)
                    && planned.held.is_none()
            })
        })
        .filter_map(|change| change.external_id.clone())
        .collect();
    let mut resolved = managers::resolve(&rows.statements, &coming, &input.managers);
    let mut places: BTreeMap<ExternalId, usize> = BTreeMap::new();
    for (place, change) in rows.changes.iter().enumerate() {
        if let Some(id) = &change.external_id {
            places.insert(id.clone(), place);
        }
    }
    let effect_of = |from, to: &Option<_>| {
        let effect = Effect::Manager {
            from,
            to: to.clone(),
        };
        // To have a manager for the first time takes nobody's approver away.
        if from.is_some() {
            Planned::braked(effect, BrakeKind::ManagerChanged)
        } else {
            Planned::free(effect)
        }
    };
    // Records that would rest, but for their manager.
    let mut woken: Vec<Change> = Vec::new();
    rows.quiet.retain(|quiet| {
        let Some((from, to)) = resolved.changes.remove(&quiet.external_id) else {
            return true;
        };
        let Some(touched) = rows
            .statements
            .iter()
            .find(|one| one.external_id == quiet.external_id)
        else {
            return true;
        };
        woken.push(Change {
            external_id: Some(quiet.external_id.clone()),
            person: touched.person,
            situation: Situation::Linked,
            reaction: Reaction::Update,
            effects: vec![effect_of(from, &to)],
            reasons: vec![Reason::new(
                "manager.changed",
                "the source names another manager",
            )],
            precondition: touched.precondition,
            due_on: quiet.due_on,
            settles: true,
        });
        false
    });
    rows.resting.unchanged = rows.resting.unchanged.saturating_sub(woken.len() as u64);
    for (record, (from, to)) in resolved.changes {
        if let Some(change) = places
            .get(&record)
            .and_then(|place| rows.changes.get_mut(*place))
        {
            change.effects.push(effect_of(from, &to));
        }
    }
    // Whoever names a stranger or stands on a cycle is looked at again at each read:
    // the stranger may appear, and the cycle may open.
    let waiting: BTreeSet<&ExternalId> = resolved
        .problems
        .iter()
        .filter(|problem| problem.kind != ManagerProblemKind::Oneself)
        .map(|problem| &problem.external_id)
        .collect();
    for change in &mut rows.changes {
        if change
            .external_id
            .as_ref()
            .is_some_and(|id| waiting.contains(id))
        {
            change.settles = false;
        }
    }
    for quiet in &mut rows.quiet {
        if waiting.contains(&quiet.external_id) {
            quiet.settles = false;
        }
    }
    rows.changes.extend(woken);
    rows.changes
        .sort_by(|one, two| (&one.external_id, one.person).cmp(&(&two.external_id, two.person)));
    rows.managers = resolved.problems;
}

/// One hold for each kind of doubt that holds rows.
fn doubtful(evidence: &Evidence, changes: &[Change]) -> Vec<Hold> {
    let mut holds = Vec::new();
    for (kind, next) in [
        (
            HoldKind::Doubt,
            "the next read that can be believed in full decides by itself",
        ),
        (
            HoldKind::FirstRead,
            "nobody is suspended in the first read; the next one decides",
        ),
        (
            HoldKind::Unconfirmed,
            "the next read decides, once the silence is confirmed",
        ),
    ] {
        let rows = changes
            .iter()
            .filter(|change| {
                change
                    .effects
                    .iter()
                    .any(|planned| planned.held == Some(kind))
            })
            .count() as u64;
        if rows == 0 {
            continue;
        }
        let reason = match kind {
            HoldKind::Doubt if !evidence.doubts.is_empty() => evidence
                .doubts
                .iter()
                .map(|doubt| format!("{}: {}", doubt.kind.code(), doubt.detail))
                .collect::<Vec<_>>()
                .join("; "),
            HoldKind::Doubt => "a record could not be read whole".to_owned(),
            HoldKind::FirstRead => "this is the first time that these records are seen".to_owned(),
            _ => "missing from the read, and not confirmed by the source".to_owned(),
        };
        holds.push(Hold {
            kind,
            rows,
            reason,
            next: next.to_owned(),
        });
    }
    holds
}

/// Would these effects take an administrator's access?
fn takes_access(effects: &[Planned]) -> bool {
    effects.iter().any(|planned| {
        planned.held.is_none()
            && matches!(
                planned.effect,
                Effect::Access {
                    from: Access::Active,
                    to: Access::Suspended
                }
            )
    })
}

/// A record at rest.
fn quiet(
    external_id: &ExternalId,
    rest: Rest,
    reason: Reason,
    due_on: Option<jiff::civil::Date>,
) -> Quiet {
    Quiet {
        external_id: external_id.clone(),
        rest,
        due_on,
        reason,
        believed: true,
        settles: true,
    }
}

/// What must still hold when a touched record's row is applied.
fn precondition(touched: &crate::input::Touched) -> Precondition {
    Precondition {
        person_version: touched.person.as_ref().map(|person| person.version),
        link_version: touched.link.as_ref().map(|link| link.version),
        record: touched.digest,
    }
}
