//! What people decided before: looked at by every plan, and found again by what
//! it was about (`docs/decisions.md`).

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{Change, Effect, Hold, Quiet, Rest};
use muster_model::{
    Answer, Digest, DigestKey, ExternalId, HoldKind, MatchKey, Matter, Reaction, Reason,
    RecordDecision, Situation, SourceRecord,
};

use crate::brakes;
use crate::input::Touched;

/// What a decision about a match is about: the keys that could name somebody.
/// While they stay the same, whoever decided is not asked again.
#[must_use]
pub fn keys_digest(record: &SourceRecord, key: &DigestKey) -> Digest {
    let mut digester = key.digester("keys");
    for match_key in MatchKey::ALL {
        match match_key.digest(&record.fields, key) {
            None => digester.number(0),
            Some(digest) => digester.number(1).digest(&digest),
        };
    }
    digester.finish()
}

/// The answer to the question who a record is, if it still stands.
#[must_use]
pub fn match_answer(touched: &Touched, key: &DigestKey) -> Option<Answer> {
    let record = touched.record.as_ref()?;
    touched
        .decisions
        .iter()
        .find(|decision| decision.matter == Matter::Match)
        .filter(|decision| decision.about == keys_digest(record, key))
        .map(|decision| decision.answer)
}

/// Why a record is left alone.
#[must_use]
pub fn left(answer: Answer) -> Option<Reason> {
    match answer {
        Answer::Leave => Some(Reason::new(
            Reason::DECIDED,
            "left alone as decided, until one of its keys changes",
        )),
        Answer::Declined => Some(Reason::new(
            Reason::DECLINED,
            "left alone since an undo, until one of its keys changes or somebody decides",
        )),
        Answer::Unlinked(person) => Some(Reason::new(
            "match.unlinked",
            format!(
                "taken apart from person {person} by hand; left alone until somebody decides or one of its keys changes"
            ),
        )),
        _ => None,
    }
}

/// What was decided about the records of a plan, and what of it still stands.
#[derive(Debug, Default)]
pub(crate) struct Answers(BTreeMap<ExternalId, Answered>);

#[derive(Debug)]
struct Answered {
    decisions: Vec<RecordDecision>,
    /// Those that are about what this plan found.
    stands: BTreeSet<Matter>,
}

impl Answered {
    /// Looks which decisions are about what a row would do.
    fn find(&mut self, change: &Change, key: &DigestKey) {
        for decision in &self.decisions {
            if let Matter::Hold(kind) = decision.matter
                && change.matter_of(kind, key) == Some(decision.about)
            {
                self.stands.insert(decision.matter);
            }
        }
    }

    /// Kinds of this row that were answered so, while it is about the same.
    fn kinds(&self, change: &Change, answer: Answer, key: &DigestKey) -> Vec<HoldKind> {
        self.decisions
            .iter()
            .filter(|decision| decision.answer == answer)
            .filter_map(|decision| match decision.matter {
                Matter::Hold(kind) => Some((kind, decision.about)),
                Matter::Match => None,
            })
            .filter(|(kind, about)| change.matter_of(*kind, key) == Some(*about))
            .map(|(kind, _)| kind)
            .collect()
    }
}

impl Answers {
    /// Hears what was decided about a record, and takes what was refused out of its
    /// row; gives back the record at rest when nothing of the row is left.
    pub(crate) fn hear(
        &mut self,
        touched: &Touched,
        change: Option<&mut Change>,
        key: &DigestKey,
    ) -> Option<Quiet> {
        let id = touched.external_id.as_ref()?;
        let mut answered = Answered {
            decisions: touched.decisions.clone(),
            stands: BTreeSet::new(),
        };
        // One that is missing from this read may come back as it was.
        let same = |decision: &RecordDecision| {
            let record = touched.record.as_ref();
            record.is_none_or(|record| decision.about == keys_digest(record, key))
        };
        let about_match = |decision: &&RecordDecision| decision.matter == Matter::Match;
        if touched.link.is_none() && touched.decisions.iter().filter(about_match).all(same) {
            answered.stands.insert(Matter::Match);
        }
        let mut at_rest = None;
        if let Some(change) = change {
            answered.find(change, key);
            let refused = answered.kinds(change, Answer::Refuse, key);
            if !refused.is_empty() {
                take_out(change, &refused);
                if change.effects.is_empty() {
                    at_rest = quiet(change);
                }
            }
        }
        self.0.insert(id.clone(), answered);
        at_rest
    }

    /// Does to a row what was decided about it, when the brakes were set: managers
    /// stand in it only now.
    pub(crate) fn decide(&mut self, change: &mut Change, holds: &mut [Hold], key: &DigestKey) {
        let answered = change
            .external_id
            .as_ref()
            .and_then(|id| self.0.get_mut(id));
        let Some(answered) = answered else { return };
        answered.find(change, key);
        let refused = answered.kinds(change, Answer::Refuse, key);
        for kind in &refused {
            uncount(change, *kind, holds);
        }
        if !refused.is_empty() {
            // The row stays, because it was counted: it says why nothing is done.
            take_out(change, &refused);
        }
        for kind in answered.kinds(change, Answer::Release, key) {
            uncount(change, kind, holds);
            brakes::release(change, kind);
        }
    }

    /// Decisions that are about nothing any more: the source took back what was
    /// held, the record has a link, or its keys are others. They are taken back, so
    /// that a later hold is not answered by an old decision.
    pub(crate) fn spent(&self) -> Vec<(ExternalId, Matter)> {
        self.0
            .iter()
            .flat_map(|(id, answered)| {
                let spent = answered
                    .decisions
                    .iter()
                    .map(|decision| decision.matter)
                    .filter(|matter| !answered.stands.contains(matter));
                spent.map(|matter| (id.clone(), matter))
            })
            .collect()
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
}

/// One row less is held by this kind.
fn uncount(change: &Change, kind: HoldKind, holds: &mut [Hold]) {
    let held = |planned: &muster_model::plan::Planned| planned.held == Some(kind);
    if change.effects.iter().any(held)
        && let Some(hold) = holds.iter_mut().find(|hold| hold.kind == kind)
    {
        hold.rows = hold.rows.saturating_sub(1);
    }
}

/// Takes the effects of these kinds out of a row, and says so.
pub(crate) fn take_out(change: &mut Change, kinds: &[HoldKind]) {
    let refused = |brake| kinds.iter().any(|kind| kind.brakes().contains(&brake));
    // Without a person there is nothing else to do either.
    if kinds.contains(&HoldKind::Create) {
        change.effects.clear();
    }
    change
        .effects
        .retain(|planned| !planned.brake.is_some_and(refused));
    let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    change.reasons.push(Reason::new(
        Reason::DECIDED,
        format!("refused as decided: {}", words.join(", ")),
    ));
    let leaves = change
        .effects
        .iter()
        .any(|planned| matches!(planned.effect, Effect::Access { .. }));
    let marks = |planned: &muster_model::plan::Planned| matches!(planned.effect, Effect::MarkGone);
    if change.effects.iter().all(marks) {
        change.reaction = Reaction::Report;
    } else if !leaves {
        change.reaction = Reaction::Update;
    }
    if change.situation == Situation::Ended {
        change.situation = Situation::Linked;
    }
}

fn quiet(change: &Change) -> Option<Quiet> {
    let reason = change
        .reasons
        .iter()
        .rfind(|reason| reason.code == Reason::DECIDED)?;
    Some(Quiet {
        external_id: change.external_id.clone()?,
        rest: match change.situation {
            Situation::Gone => Rest::Gone,
            Situation::OutOfScope => Rest::OutOfScope,
            _ => Rest::Ignored,
        },
        due_on: change.due_on,
        reason: reason.clone(),
        believed: change.situation == Situation::Linked,
        settles: true,
    })
}
