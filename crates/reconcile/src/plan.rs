//! What exactly would change? Takes every touched record through the steps and
//! makes one stored, hashed change set of the answers.

use muster_model::{DoubtKind, Evidence, ExternalId, Plan};

use crate::input::{Confirmation, Input};
use crate::trust::{self, Follows, Verdict};

mod claims;
mod decided;
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
mod survey;

pub use decided::{Block, Decided};
pub use survey::{Draft, Survey};

/// Why nothing can be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Another company answered.
    #[error(
        "trust.other_account: another company answered than the one this connection was made for; \
         nothing was planned. Check the credentials, or connect the other company under a name of its own"
    )]
    OtherAccount,
    /// Somebody wrote between the two passes of planning.
    #[error(
        "plan.moved: people were changed while the plan was made, so that what the brakes counted is no \
         longer true; nothing was applied. Run it again"
    )]
    Moved,
}

impl PlanError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherAccount => "trust.other_account",
            Self::Moved => "plan.moved",
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

/// Makes the plan of records that are all in memory. Whoever has many looks at
/// them in blocks: [`Survey`], then [`Decided`].
///
/// # Errors
/// [`PlanError::OtherAccount`]: an account that changed stops the run.
pub fn plan(mut input: Input<'_>) -> Result<Plan, PlanError> {
    input.touched.sort_by(|one, two| {
        let person = |touched: &crate::Touched| touched.person.as_ref().map(|person| person.id);
        (&one.external_id, person(one)).cmp(&(&two.external_id, person(two)))
    });
    let mut survey = Survey::begin(&input)?;
    let mut draft = survey.look(&input);
    let deferred = survey.deferred();
    draft.append(survey.look_again(&input, &deferred));
    let mut decided = survey.decide(&input);
    let block = decided.block(draft);
    let (mut plan, _) = decided.finish(&input)?;
    plan.changes = block.changes;
    plan.quiet = block.quiet;
    Ok(plan)
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
