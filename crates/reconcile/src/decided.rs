//! What people decided before: looked at by every plan, and found again by what
//! it was about (`docs/decisions.md`).

use std::collections::BTreeMap;

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

/// Decisions about what brakes hold, by record.
pub(crate) struct HoldAnswers(BTreeMap<ExternalId, Vec<RecordDecision>>);

impl HoldAnswers {
    pub(crate) fn of(touched: &[Touched]) -> Self {
        Self(
            touched
                .iter()
                .filter_map(|touched| {
                    let of_holds: Vec<RecordDecision> = touched
                        .decisions
                        .iter()
                        .filter(|decision| matches!(decision.matter, Matter::Hold(_)))
                        .cloned()
                        .collect();
                    let id = touched.external_id.clone()?;
                    (!of_holds.is_empty()).then_some((id, of_holds))
                })
                .collect(),
        )
    }

    /// Kinds of this row that were answered so, while it is about the same.
    fn kinds(&self, change: &Change, answer: Answer, key: &DigestKey) -> Vec<HoldKind> {
        let decisions = change.external_id.as_ref().and_then(|id| self.0.get(id));
        decisions
            .into_iter()
            .flatten()
            .filter(|decision| decision.answer == answer)
            .filter_map(|decision| match decision.matter {
                Matter::Hold(kind) => Some((kind, decision.about)),
                Matter::Match => None,
            })
            .filter(|(kind, about)| change.matter_of(*kind, key) == Some(*about))
            .map(|(kind, _)| kind)
            .collect()
    }

    /// Takes refused effects out of the rows; gives back who has nothing left to do.
    pub(crate) fn refuse(&self, changes: &mut Vec<Change>, key: &DigestKey) -> Vec<Quiet> {
        let mut at_rest = Vec::new();
        if self.0.is_empty() {
            return at_rest;
        }
        changes.retain_mut(|change| {
            let refused = self.kinds(change, Answer::Refuse, key);
            if refused.is_empty() {
                return true;
            }
            take_out(change, &refused);
            if !change.effects.is_empty() {
                return true;
            }
            at_rest.extend(quiet(change));
            false
        });
        at_rest
    }

    /// Opens what was released, and takes it out of the holds.
    pub(crate) fn release(&self, changes: &mut [Change], holds: &mut Vec<Hold>, key: &DigestKey) {
        if self.0.is_empty() {
            return;
        }
        for change in changes {
            for kind in self.kinds(change, Answer::Release, key) {
                let held = |planned: &muster_model::plan::Planned| planned.held == Some(kind);
                if !change.effects.iter().any(held) {
                    continue;
                }
                brakes::release(change, kind);
                if let Some(hold) = holds.iter_mut().find(|hold| hold.kind == kind) {
                    hold.rows = hold.rows.saturating_sub(1);
                }
            }
        }
        holds.retain(|hold| hold.rows > 0);
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

/// Decisions of touched records that are about nothing any more: the source took
/// back what was held, the record has a link, or its keys are others. They are
/// taken back, so that a later hold is not answered by an old decision.
pub(crate) fn spent(
    touched: &[Touched],
    proposed: &BTreeMap<ExternalId, Vec<(HoldKind, Digest)>>,
    key: &DigestKey,
) -> Vec<(ExternalId, Matter)> {
    let mut spent = Vec::new();
    for touched in touched {
        let Some(id) = &touched.external_id else {
            continue;
        };
        for decision in &touched.decisions {
            let stands = match decision.matter {
                Matter::Match => {
                    touched.link.is_none()
                        && touched
                            .record
                            .as_ref()
                            // One that is missing from this read may come back as it was.
                            .is_none_or(|record| decision.about == keys_digest(record, key))
                }
                Matter::Hold(kind) => proposed
                    .get(id)
                    .is_some_and(|kinds| kinds.contains(&(kind, decision.about))),
            };
            if !stands {
                spent.push((id.clone(), decision.matter));
            }
        }
    }
    spent
}

/// What each record about which somebody decided would do now, before anything
/// decided is taken out or let through.
pub(crate) fn proposed(
    answers: &HoldAnswers,
    changes: &[Change],
    key: &DigestKey,
) -> BTreeMap<ExternalId, Vec<(HoldKind, Digest)>> {
    let mut proposed: BTreeMap<ExternalId, Vec<(HoldKind, Digest)>> = BTreeMap::new();
    for change in changes {
        let Some(id) = change.external_id.as_ref() else {
            continue;
        };
        let Some(decisions) = answers.0.get(id) else {
            continue;
        };
        for decision in decisions {
            let Matter::Hold(kind) = decision.matter else {
                continue;
            };
            if let Some(digest) = change.matter_of(kind, key) {
                proposed.entry(id.clone()).or_default().push((kind, digest));
            }
        }
    }
    proposed
}
