//! Was the answer whole, plausible and from the same company? What may follow
//! from it (`engine.md`, Trust; the table is [`TABLE`]).

use std::collections::BTreeSet;

use jiff::{Span, Timestamp};
use muster_model::evidence::{PastRead, ReadSummary};
use muster_model::{Doubt, DoubtKind, Evidence, EvidenceLevel, Field, Policy, ReadHistory};

/// What a condition is needed for, in the order of the table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// A leaving that is said in the record.
    Ended,
    /// A leaving by silence.
    Gone,
    /// A joiner.
    Create,
    /// A field that lost its value.
    Emptied,
}

/// One line of the trust table.
#[derive(Debug)]
pub struct Condition {
    /// The words of the page.
    pub needs: &'static str,
    /// The cells: said, gone, create, emptied.
    pub cells: [&'static str; 4],
    /// The doubts that break it for the whole read; empty where it is judged
    /// by record ([`crate::plan()`]) or by field ([`Verdict::dropped`]).
    pub broken_by: &'static [DoubtKind],
}

/// The trust table, as data.
pub const TABLE: &[Condition] = &[
    Condition {
        needs: "the same account as at connecting (company or tenant id, read in each run and pinned)",
        cells: ["yes", "yes", "yes", "yes"],
        broken_by: &[DoubtKind::OtherAccount],
    },
    Condition {
        needs: "the credential's rights as at the last read, where the vendor tells them",
        cells: ["no", "yes", "no", "yes"],
        broken_by: &[DoubtKind::RightsLost],
    },
    Condition {
        needs: "this person's record whole",
        cells: ["yes", "–", "yes", "yes"],
        broken_by: &[],
    },
    Condition {
        needs: "level counted, ended or whole; no page failed; no key twice on different pages",
        cells: ["no", "yes", "no", "no"],
        broken_by: &[
            DoubtKind::PageFailed,
            DoubtKind::RecordTwice,
            DoubtKind::TotalDiffers,
            DoubtKind::Empty,
        ],
    },
    Condition {
        needs: "population within its history",
        cells: ["no", "yes", "yes", "no"],
        broken_by: &[DoubtKind::Population],
    },
    Condition {
        needs: "fill rate of the fields concerned within its history",
        cells: ["no", "yes", "for key fields", "yes"],
        broken_by: &[],
    },
    Condition {
        needs: "not older than the last read (revisions and change times do not run backwards)",
        cells: ["yes", "yes", "yes", "yes"],
        broken_by: &[DoubtKind::OlderThanLastRead],
    },
    Condition {
        needs: "**confirmed**: asked for by id, the source says it is not there",
        cells: [
            "no",
            "yes, where the connector can read by id; else absent from two proved reads an interval apart",
            "no",
            "no",
        ],
        broken_by: &[DoubtKind::MissingCameBack],
    },
];

/// A read may bring this much less than the last one, or this many fewer.
const FEWER: Tolerance = Tolerance {
    people: 3,
    percent: 20,
};
/// A read may bring this much more.
const MORE: Tolerance = Tolerance {
    people: 20,
    percent: 50,
};
/// A field may be filled this much less often (in percent of all people).
const EMPTIER: Tolerance = Tolerance {
    people: 2,
    percent: 20,
};

struct Tolerance {
    people: u64,
    percent: u64,
}

impl Tolerance {
    const fn allows(&self, difference: u64, of: u64) -> bool {
        difference <= self.people
            || difference.saturating_mul(100) <= of.saturating_mul(self.percent)
    }
}

/// What may follow from a read.
#[derive(Debug, Clone)]
pub struct Verdict {
    ended: bool,
    gone: bool,
    create: bool,
    emptied: bool,
    proved: bool,
    first_read: bool,
    older: bool,
    /// Fields that are filled far less often than in the read's history.
    pub dropped: BTreeSet<Field>,
}

impl Verdict {
    /// Does the read as a whole allow this?
    #[must_use]
    pub const fn allows(&self, follows: Follows) -> bool {
        match follows {
            Follows::Ended => self.ended,
            Follows::Gone => self.gone,
            Follows::Create => self.create,
            Follows::Emptied => self.emptied,
        }
    }

    /// May this field be emptied?
    #[must_use]
    pub fn allows_emptying(&self, field: Field) -> bool {
        self.emptied && !self.dropped.contains(&field)
    }

    /// Is this a read to judge later ones by?
    #[must_use]
    pub const fn proved(&self) -> bool {
        self.proved
    }

    /// Is it an older state of the source than the one known? Those who left
    /// since look employed in it, so that nobody is brought back by it.
    #[must_use]
    pub const fn is_older_copy(&self) -> bool {
        self.older
    }

    /// Has no read been judged before this one? Nobody is suspended, ended or
    /// removed in it.
    #[must_use]
    pub const fn is_first_read(&self) -> bool {
        self.first_read
    }
}

/// What is kept of a read, to judge later ones by.
#[must_use]
pub fn past_read(
    at: Timestamp,
    evidence: &Evidence,
    summary: ReadSummary,
    verdict: &Verdict,
) -> PastRead {
    let whole = evidence.complete && evidence.level > EvidenceLevel::None;
    let population = |doubt: &Doubt| doubt.kind == DoubtKind::Population;
    PastRead {
        at,
        summary,
        rights: evidence.rights.clone(),
        proved: verdict.proved(),
        only_population_doubted: whole
            && !evidence.doubts.is_empty()
            && evidence.doubts.iter().all(population),
    }
}

/// Judges a read: completes its doubts, and says what may follow.
pub fn judge(
    evidence: &mut Evidence,
    summary: &ReadSummary,
    history: &ReadHistory,
    policy: &Policy,
    account: Option<&str>,
    now: Timestamp,
) -> Verdict {
    if account.is_some() && evidence.account.as_deref() != account {
        evidence.doubt(
            DoubtKind::OtherAccount,
            "another company answered than the one this connection was made for",
        );
    }
    // Who did not change is not in it: numbers say nothing.
    let is_partial = evidence.changes_since.is_some();
    if evidence.read == 0 && !is_partial {
        evidence.doubt(DoubtKind::Empty, "the read brought no record at all");
    }
    if let Some(declared) = evidence.declared
        && declared != evidence.read
    {
        evidence.doubt(
            DoubtKind::TotalDiffers,
            format!("{} read, {declared} declared", evidence.read),
        );
    }
    if summary.backwards > 0 {
        evidence.doubt(
            DoubtKind::OlderThanLastRead,
            format!(
                "{} records are older than at the last read",
                summary.backwards
            ),
        );
    }
    let baseline = history.baseline();
    if let Some(baseline) = baseline {
        judge_rights(evidence, baseline);
        if !is_partial {
            judge_population(evidence, summary, history, baseline, now);
        }
    }
    let dropped = baseline
        .filter(|_| !is_partial)
        .map(|past| dropped_fields(summary, past))
        .unwrap_or_default();
    if !dropped.is_empty() {
        let names: Vec<&str> = dropped.iter().map(|field| field.name()).collect();
        evidence.doubt(
            DoubtKind::FillRate,
            format!("filled far less often than before: {}", names.join(", ")),
        );
    }
    let broken = |column: usize| {
        TABLE.iter().any(|condition| {
            condition
                .cells
                .get(column)
                .is_some_and(|cell| cell.starts_with("yes"))
                && condition.broken_by.iter().any(|kind| evidence.has(*kind))
        })
    };
    let keys = || {
        policy
            .keys
            .iter()
            .map(|key| key.field())
            .chain(policy.scope.iter().copied())
    };
    // What tells whether somebody is there, and still employed: without last days
    // those who left long ago look like joiners.
    let concerned = |field: &Field| {
        matches!(field, Field::Engagements | Field::EndDate) || keys().any(|key| key == *field)
    };
    let whole = evidence.complete && evidence.level > EvidenceLevel::None;
    let proved = whole && !broken(1) && !dropped.iter().any(concerned);
    Verdict {
        ended: !broken(0),
        // Silence is judged by what was there before.
        gone: proved && baseline.is_some() && !is_partial,
        // Nothing is judged by a part.
        proved: proved && !is_partial,
        first_read: history.reads.is_empty(),
        older: evidence.has(DoubtKind::OlderThanLastRead),
        create: !broken(2) && !dropped.iter().any(concerned),
        // Whether a field vanished from everybody cannot be seen in a few.
        emptied: !broken(3) && !is_partial,
        dropped,
    }
}

fn judge_rights(evidence: &mut Evidence, baseline: &PastRead) {
    if let (Some(before), Some(now)) = (&baseline.rights, &evidence.rights) {
        let lost = before.difference(now).count();
        if lost > 0 {
            evidence.doubt(
                DoubtKind::RightsLost,
                format!("the credential has {lost} rights fewer than at the last read"),
            );
        }
    }
}

fn judge_population(
    evidence: &mut Evidence,
    summary: &ReadSummary,
    history: &ReadHistory,
    baseline: &PastRead,
    now: Timestamp,
) {
    let read = summary.present;
    let plausible = |before: u64| {
        if read < before {
            FEWER.allows(before - read, before)
        } else {
            MORE.allows(read - before, before)
        }
    };
    // A firm can really halve: what has been read for a day without another
    // doubt is its history too.
    let day_ago = now
        .checked_sub(Span::new().hours(24))
        .unwrap_or(Timestamp::MIN);
    let settled = history.reads.iter().any(|past| {
        past.only_population_doubted
            && past.at <= day_ago
            && past.at > baseline.at
            && plausible(past.summary.present)
    });
    if !plausible(baseline.summary.present) && !settled {
        evidence.doubt(
            DoubtKind::Population,
            format!(
                "{read} people, where the last believed read had {}",
                baseline.summary.present
            ),
        );
    }
}

/// Fields whose fill rate fell out of its history.
fn dropped_fields(summary: &ReadSummary, past: &PastRead) -> BTreeSet<Field> {
    let before = &past.summary;
    before
        .filled
        .iter()
        .filter(|(field, filled_before)| {
            // As many as would be filled now at the old rate.
            let expected = filled_before
                .saturating_mul(summary.present)
                .checked_div(before.present)
                .unwrap_or_default();
            let filled = summary.filled.get(field).copied().unwrap_or_default();
            // A large firm's rate and a small firm's handful: either must be exceeded.
            !EMPTIER.allows(expected.saturating_sub(filled), summary.present)
        })
        .map(|(field, _)| *field)
        .collect()
}
