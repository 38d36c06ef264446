//! What exactly would change? Takes every touched record through the steps and
//! makes one stored, hashed change set of the answers.

use muster_model::plan::{Cause, Planned};
use muster_model::{Change, DoubtKind, Effect, Evidence, ExternalId, Plan, Reason};

use crate::brakes::{self, Day};
use crate::decided::{self, HoldAnswers};
use crate::input::{Confirmation, Input};
use crate::trust::{self, Follows, Verdict};

mod claims;
pub mod declining;
mod doubts;
mod employing;
mod fields;
mod linked;
pub mod managing;
mod missing;
mod record;
mod rows;
mod subject;

use claims::Claims;
use record::Judge;
use rows::Rows;

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

/// How many missing records are asked for by id in one run. Those beyond it
/// stay unconfirmed, and the next run asks for them.
const MOST_QUESTIONS: usize = 500;

/// The missing records that the source must be asked for by id before a plan is
/// made: the first pass of the pure function. None when silence could prove
/// nothing in this read, or when nothing would follow from it.
#[must_use]
pub fn questions(input: &Input<'_>) -> Vec<ExternalId> {
    if !input.can_confirm || !input.policy.cuts(input.policy.gone) {
        return Vec::new();
    }
    let mut evidence = input.evidence.clone();
    let verdict = judge(input, &mut evidence);
    if !verdict.allows(Follows::Gone) {
        return Vec::new();
    }
    let mut questions: Vec<ExternalId> = input
        .touched
        .iter()
        .filter(|touched| missing::is_question(input, &verdict, touched))
        .filter_map(|touched| touched.external_id.clone())
        .collect();
    questions.sort();
    questions.truncate(MOST_QUESTIONS);
    questions
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
    weigh_confirmations(&input, &mut evidence);
    let verdict = judge(&input, &mut evidence);
    if evidence.has(DoubtKind::OtherAccount) {
        return Err(PlanError::OtherAccount);
    }
    let mut touched = std::mem::take(&mut input.touched);
    touched.sort_by(|one, two| {
        let person = |touched: &crate::Touched| touched.person.as_ref().map(|person| person.id);
        (&one.external_id, person(one)).cmp(&(&two.external_id, person(two)))
    });
    let judge = Judge {
        input: &input,
        verdict: &verdict,
        claims: Claims::of(&input, &touched),
    };
    let mut rows = Rows::new(&input, evidence.read);
    for touched in &touched {
        match &touched.record {
            Some(source) => judge.plan(touched, source, &mut rows),
            None => missing::plan(&input, &verdict, touched, &mut rows),
        }
    }
    rows.sort();
    let answers = HoldAnswers::of(&touched);
    let mut proposed = decided::proposed(&answers, &rows.changes, input.key);
    rows.refuse(&answers, input.key);
    managing::resolve(&input, &mut rows);
    // Managers stand in rows only now.
    for (id, kinds) in decided::proposed(&answers, &rows.changes, input.key) {
        proposed.entry(id).or_default().extend(kinds);
    }
    rows.refuse(&answers, input.key);
    let day = Day {
        brakes: &input.policy.brakes,
        linked: input.linked,
        let_through: &input.let_through,
        administrators: input.administrators,
        administrators_leaving: &rows.administrators_leaving,
    };
    let mut holds = brakes::apply(&day, &mut rows.changes);
    managing::hold_with_managers(&mut rows.changes);
    answers.release(&mut rows.changes, &mut holds, input.key);
    holds.extend(doubts::holds(&evidence, &rows.changes));
    let mut plan = Plan {
        connection: input.connection,
        cause: cause(&rows.changes),
        made_for: input.today,
        made_at: input.now,
        evidence,
        people: rows.people,
        resting: rows.resting,
        quiet: rows.quiet,
        changes: rows.changes,
        holds,
        managers: rows.managers,
        spent: decided::spent(&touched, &proposed, input.key),
        // The hash covers the rest of the plan, so it comes last.
        hash: input.key.digest("plan", ""),
    };
    plan.hash = plan.compute_hash(input.key);
    Ok(plan)
}

/// A plan in which a new version of the mapping speaks is one of its own kind: it
/// is looked at before a schedule goes on by itself.
fn cause(changes: &[Change]) -> Cause {
    let remapped = |reason: &Reason| reason.code == Reason::REMAPPED;
    // What only asks, or is held, is done by no schedule anyhow.
    let acts = |planned: &Planned| {
        planned.held.is_none() && !matches!(planned.effect, Effect::Conflict { .. })
    };
    let speaks =
        |change: &Change| change.reasons.iter().any(remapped) && change.effects.iter().any(acts);
    if changes.iter().any(speaks) {
        Cause::Mapping
    } else {
        Cause::Read
    }
}

/// What the source answered when asked for missing records: one that is there
/// shows that the read was not whole.
fn weigh_confirmations(input: &Input<'_>, evidence: &mut Evidence) {
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
}
