//! The lines of a file against the rows of the plan. Nothing is decided before
//! every line fits.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::link::Choice;
use muster_model::plan::{Change, Effect};
use muster_model::{
    Answer, ExternalId, Field, Flow, HoldKind, PersonId, PlanId, Policy, Situation,
};
use muster_reconcile::resolve::RowAnswer;
use muster_storage::{ChangeState, StoredChange};

use super::answers::Answers;
use super::later::{Later, inwards_only};
use super::line::{Kinds, Line, Word};
use super::problem::Problem;

/// A line about one row.
struct Single {
    line: Line,
    word: Word,
    /// Was a row about the record done before?
    row_done: bool,
}

/// The lines, ready to meet the rows.
pub(super) struct Check<'a> {
    policy: &'a Policy,
    /// Whom the words behind `link:` name.
    people: BTreeMap<String, PersonId>,
    by_row: BTreeMap<u64, Vec<Single>>,
    by_record: BTreeMap<ExternalId, Vec<Single>>,
    /// About what was decided before, whatever the plan has a row for.
    before: Vec<Single>,
    kinds: Vec<(Kinds, Answer)>,
    answers: Answers,
    problems: Vec<Problem>,
    refused: Vec<Problem>,
    lines: u64,
}

/// Lines that all fit.
pub(super) struct Checked {
    /// What they decide about rows.
    pub(super) answers: Answers,
    /// What they decide about records that the plan has no row for.
    pub(super) records: Vec<Later>,
    /// Lines about rows that were dealt with before, or are true no more.
    pub(super) refused: Vec<Problem>,
    /// How many lines decide something.
    pub(super) lines: u64,
}

impl<'a> Check<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        plan: PlanId,
        lines: &[Line],
        people: BTreeMap<String, PersonId>,
    ) -> Self {
        let mut check = Self {
            policy,
            people,
            by_row: BTreeMap::new(),
            by_record: BTreeMap::new(),
            before: Vec::new(),
            kinds: Vec::new(),
            answers: Answers::default(),
            problems: Vec::new(),
            refused: Vec::new(),
            lines: 0,
        };
        for line in lines.iter().filter(|line| !line.decision.trim().is_empty()) {
            check.lines += 1;
            if let Err(problem) = check.sort(plan, line) {
                check.problems.push(problem);
            }
        }
        check
    }

    fn sort(&mut self, plan: PlanId, line: &Line) -> Result<(), Problem> {
        let word = Word::of(&line.decision).ok_or_else(|| {
            Problem::new(
                line,
                "decision",
                "decision.unknown",
                format!("this is no decision; write one of {}", Word::ALL),
            )
        })?;
        if !line.plan.is_empty() && line.plan != plan.to_string() {
            return Err(Problem::new(
                line,
                "plan",
                "decision.other_plan",
                "the line belongs to another plan; take the lines of the plan that you decide",
            ));
        }
        let single = Single {
            line: line.clone(),
            word,
            row_done: false,
        };
        if single.word == Word::Ask && !line.external_id.is_empty() {
            self.before.push(single);
        } else if !line.row.is_empty() {
            let row = line.row.parse::<u64>().map_err(|_| {
                let message = "this is no number of a row; leave the column as the plan printed it";
                Problem::new(line, "row", "decision.row", message)
            })?;
            self.by_row.entry(row).or_default().push(single);
        } else if !line.external_id.is_empty() {
            let id = ExternalId::new(line.external_id.as_str());
            self.by_record.entry(id).or_default().push(single);
        } else {
            self.kinds.push(kinds(line, &single.word)?);
        }
        Ok(())
    }

    /// Meets a block of the plan's rows.
    pub(super) fn meet(&mut self, rows: &[StoredChange]) {
        for row in rows {
            let Some(change) = &row.change else { continue };
            let mut answer = RowAnswer::default();
            let open = matches!(
                row.state,
                ChangeState::Open | ChangeState::Held | ChangeState::Waiting
            );
            if open {
                for (kinds, given) in &self.kinds {
                    cover(change, *kinds, *given, &mut answer);
                }
            }
            let mut single = BTreeSet::new();
            let mut named = self.by_row.remove(&row.ordinal).unwrap_or_default();
            if let Some(id) = &change.external_id {
                let of_record = self.by_record.remove(id).unwrap_or_default();
                let (here, before): (Vec<_>, Vec<_>) = of_record
                    .into_iter()
                    .partition(|one| !is_about_before(one, change));
                named.extend(here);
                self.before.extend(before);
            }
            for mut one in named {
                if !is_about(&one.line, change) {
                    self.problems.push(Problem::new(
                        &one.line,
                        "external_id",
                        "decision.other_row",
                        "the row of that number is about another record; leave plan, row and external_id as they were printed",
                    ));
                    continue;
                }
                // Without a number the line is about the record: who it is can be said
                // again once somebody took apart what the row joined.
                if row.state == ChangeState::Applied && says_who_without_row(&one) {
                    one.row_done = true;
                    self.before.push(one);
                    continue;
                }
                if !open {
                    self.refused.push(done(&one.line, row.state));
                    continue;
                }
                let taken = take(
                    self.policy,
                    &self.people,
                    &one,
                    change,
                    &mut answer,
                    &mut single,
                );
                if matches!(one.word, Word::Match(_) | Word::Link(_)) {
                    self.answers.lines.insert(row.ordinal, one.line.number);
                }
                if let Err(problem) = taken {
                    self.problems.push(problem);
                }
            }
            if !answer.is_empty() {
                self.answers.rows.insert(row.ordinal, answer);
            }
        }
    }

    /// Ends with what no row was found for: a line about a record without a row is
    /// for whoever finds the record itself. Fails with every line that does not fit.
    pub(super) fn finish(mut self) -> Result<Checked, Vec<Problem>> {
        for one in std::mem::take(&mut self.by_row).into_values().flatten() {
            self.problems.push(Problem::new(
                &one.line,
                "row",
                "decision.no_row",
                "the plan has no such row; leave plan, row and external_id as they were printed",
            ));
        }
        let mut records = Vec::new();
        let mut left = std::mem::take(&mut self.before);
        left.extend(std::mem::take(&mut self.by_record).into_values().flatten());
        for one in left {
            let row_done = one.row_done;
            let later = match_answer(&one, &self.people)
                .and_then(|matching| Later::of(self.policy, &one.word, one.line, matching))
                .map(|later| Later { row_done, ..later });
            match later {
                Ok(later) => records.push(later),
                Err(problem) => self.problems.push(problem),
            }
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        Ok(Checked {
            answers: self.answers,
            records,
            refused: self.refused,
            lines: self.lines,
        })
    }
}

/// A line about a whole kind.
fn kinds(line: &Line, word: &Word) -> Result<(Kinds, Answer), Problem> {
    let Word::Hold(answer) = word else {
        return Err(Problem::new(
            line,
            "decision",
            "decision.no_row",
            "the line names no row; only release and refuse can be said of a whole kind",
        ));
    };
    match Kinds::of(&line.held) {
        Some(Kinds::One(kind)) if !kind.can_be_released() => Err(not_releasable(line, kind)),
        Some(Kinds::Older) if *answer == Answer::Refuse => Err(unfit_older(line)),
        Some(kinds) => Ok((kinds, *answer)),
        None => Err(Problem::new(
            line,
            "held",
            "hold.unknown",
            "this is no kind of hold; write the word of the column held, or all",
        )),
    }
}

fn cover(change: &Change, kinds: Kinds, given: Answer, answer: &mut RowAnswer) {
    if change.is_older() {
        answer.older |= kinds == Kinds::Older;
        return;
    }
    for kind in change.effects.iter().filter_map(|planned| planned.held) {
        if kinds.covers(kind) {
            answer.holds.insert(kind, given);
        }
    }
}

fn is_about(line: &Line, change: &Change) -> bool {
    let id = change.external_id.as_ref().map_or("", ExternalId::as_str);
    line.external_id == id
}

/// Does a line without a row say who the record is?
const fn says_who_without_row(one: &Single) -> bool {
    one.line.row.is_empty() && matches!(one.word, Word::Match(_) | Word::Link(_))
}

/// A line about what was done before.
pub(super) fn row_done(line: &Line) -> Problem {
    let message = "the row was done before; nothing is left to decide";
    Problem::new(line, "row", "decision.row_done", message)
}

fn done(line: &Line, state: ChangeState) -> Problem {
    if state == ChangeState::Applied {
        row_done(line)
    } else {
        let message = "something changed since the plan was made; make a new plan and decide that";
        Problem::new(line, "row", "row.stale", message)
    }
}

/// Takes one line into the answer about its row.
fn take(
    policy: &Policy,
    people: &BTreeMap<String, PersonId>,
    one: &Single,
    change: &Change,
    answer: &mut RowAnswer,
    single: &mut BTreeSet<HoldKind>,
) -> Result<(), Problem> {
    let line = &one.line;
    match &one.word {
        Word::Field(choice) => {
            let field = conflict(line, change)?;
            if *choice == Choice::Ours && !matches!(policy.flow(field), Flow::Out | Flow::Both) {
                return Err(inwards_only(line, field));
            }
            if *choice == Choice::Skip && joining_is_held(change) {
                return Err(Problem::new(
                    line,
                    "decision",
                    "decision.joining_held",
                    "the row also joins the record and somebody, and that is held: there is no link \
                     yet that could keep a skip; leave the cell empty until the two are joined",
                ));
            }
            let before = answer.fields.insert(field, *choice);
            once(line, before.is_none_or(|before| before == *choice))
        }
        Word::Hold(given) if change.is_older() => {
            if *given == Answer::Refuse {
                return Err(unfit_older(line));
            }
            answer.older = true;
            Ok(())
        }
        Word::Hold(given) => {
            let kind = held(line, change)?;
            // A line about the row goes before a line about its kind.
            let first = single.insert(kind);
            let before = answer.holds.insert(kind, *given);
            once(line, first || before.is_none_or(|before| before == *given))
        }
        // With a record it is about what was decided before, and never comes here.
        Word::Ask => Err(unfit(line, change)),
        Word::Match(_) | Word::Link(_) => {
            if change.situation == Situation::OursOnly {
                return Err(ours_only(line));
            }
            if !asks_who(change) {
                return Err(unfit(line, change));
            }
            let given = match_answer(one, people)?;
            let before = std::mem::replace(&mut answer.matching, given);
            once(line, before.is_none() || before == given)
        }
    }
}

fn match_answer(
    one: &Single,
    people: &BTreeMap<String, PersonId>,
) -> Result<Option<Answer>, Problem> {
    match &one.word {
        Word::Match(answer) => Ok(Some(*answer)),
        Word::Link(person) => match people.get(person) {
            Some(person) => Ok(Some(Answer::Link(*person))),
            None => Err(Problem::new(
                &one.line,
                "decision",
                "person.unknown",
                "the word behind link: names nobody, or several; write the person's id",
            )),
        },
        Word::Field(_) | Word::Hold(_) | Word::Ask => Ok(None),
    }
}

fn once(line: &Line, is_once: bool) -> Result<(), Problem> {
    if is_once {
        return Ok(());
    }
    Err(Problem::new(
        line,
        "decision",
        "decision.twice",
        "another line decides the same otherwise; keep one of them",
    ))
}

/// The field in conflict that a line is about.
fn conflict(line: &Line, change: &Change) -> Result<Field, Problem> {
    let asked = |field: Field| {
        change.effects.iter().any(
            |planned| matches!(planned.effect, Effect::Conflict { field: of, .. } if of == field),
        )
    };
    line.field
        .parse::<Field>()
        .ok()
        .filter(|field| asked(*field))
        .ok_or_else(|| {
            Problem::new(
                line,
                "field",
                "decision.unfit",
                format!(
                    "{} fits a line about a field in conflict; {}",
                    line.decision.trim(),
                    fitting(change)
                ),
            )
        })
}

/// The kind that a line releases or refuses.
fn held(line: &Line, change: &Change) -> Result<HoldKind, Problem> {
    let unfit = || {
        Problem::new(
            line,
            "held",
            "decision.unfit",
            format!("nothing of this row is held so; {}", fitting(change)),
        )
    };
    let kind = HoldKind::from_word(line.held.trim()).ok_or_else(unfit)?;
    if !kind.can_be_released() {
        return Err(not_releasable(line, kind));
    }
    let holds = |planned: &muster_model::plan::Planned| planned.held == Some(kind);
    if change.effects.iter().any(holds) {
        Ok(kind)
    } else {
        Err(unfit())
    }
}

fn not_releasable(line: &Line, kind: HoldKind) -> Problem {
    Problem::new(
        line,
        "held",
        "decision.not_releasable",
        format!("{kind} is no question to a person: it goes with a read that proves more"),
    )
}

fn unfit(line: &Line, change: &Change) -> Problem {
    Problem::new(
        line,
        "decision",
        "decision.unfit",
        format!(
            "{} does not fit a row that is {}; {}",
            line.decision.trim(),
            change.situation,
            fitting(change)
        ),
    )
}

/// Somebody whom the source has no record of: nobody is added there by Muster.
fn ours_only(line: &Line) -> Problem {
    Problem::new(
        line,
        "decision",
        "decision.not_added",
        "people are not added to this source: no connector of today can make a record; add them \
         there by hand, and the next sync finds them. Leave the cell empty",
    )
}

/// Is a line without a row about a pair of values that was decided before, rather
/// than about what the row asks?
fn is_about_before(one: &Single, change: &Change) -> bool {
    matches!(one.word, Word::Field(_)) && conflict(&one.line, change).is_err()
}

fn unfit_older(line: &Line) -> Problem {
    Problem::new(
        line,
        "decision",
        "decision.unfit",
        "an older record is left alone as long as nobody releases it; leave the cell empty",
    )
}

/// Is the joining of which the row's fields are a part held?
fn joining_is_held(change: &Change) -> bool {
    change
        .effects
        .iter()
        .any(|planned| planned.effect == Effect::Link && planned.held.is_some())
}

/// Is the row a question who the record is?
fn asks_who(change: &Change) -> bool {
    let unmade = !change
        .effects
        .iter()
        .any(|planned| matches!(planned.effect, Effect::Create { .. }));
    change.precondition.link_version.is_none()
        && unmade
        && matches!(
            change.situation,
            Situation::New | Situation::Ambiguous | Situation::Taken
        )
}

/// What could be decided about a row.
fn fitting(change: &Change) -> String {
    let mut words = Vec::new();
    if asks_who(change) {
        words.push("create, link:PERSON or leave".to_owned());
    }
    if change
        .effects
        .iter()
        .any(|planned| matches!(planned.effect, Effect::Conflict { .. }))
    {
        words.push("theirs, ours or skip on the line of the field".to_owned());
    }
    let held: BTreeSet<&str> = change
        .effects
        .iter()
        .filter_map(|planned| planned.held)
        .filter(|kind| kind.can_be_released())
        .map(HoldKind::word)
        .collect();
    if !held.is_empty() {
        let held: Vec<&str> = held.into_iter().collect();
        words.push(format!("release or refuse for {}", held.join(", ")));
    }
    if change.is_older() {
        words.push("release".to_owned());
    }
    if words.is_empty() {
        "nothing of this row needs a decision".to_owned()
    } else {
        format!("it takes {}", words.join("; "))
    }
}
