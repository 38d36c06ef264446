//! A line about a record for which the plan has no row: what was decided before
//! is decided otherwise, or asked again.

use muster_model::link::Choice;
use muster_model::{Answer, ExternalId, Field, Flow, HoldKind, Matter, Policy};

use super::line::{Line, Word};
use super::problem::Problem;

/// What is decided about a record, for the next sync to do.
pub(super) struct Later {
    pub(super) id: ExternalId,
    pub(super) line: Line,
    pub(super) what: What,
    /// Was a row of the plan about the record done before?
    pub(super) row_done: bool,
}

/// What of a record a line is about.
pub(super) enum What {
    /// Who it is.
    Match(Answer),
    /// A pair of values about which somebody decided: now so.
    Field(Field, Choice),
    /// The pair of values of a field is asked about again.
    AskField(Field),
    /// An answer about the record as a whole is taken back.
    AskMatter(Matter),
}

impl Later {
    /// What a line without a row of its own says; `matching` is the answer of one
    /// that says who the record is.
    pub(super) fn of(
        policy: &Policy,
        word: &Word,
        line: Line,
        matching: Option<Answer>,
    ) -> Result<Self, Problem> {
        let what = match (word, matching) {
            (Word::Ask, _) => asked(&line)?,
            (Word::Field(choice), _) => {
                let field = field(&line)?;
                if *choice == Choice::Ours && !matches!(policy.flow(field), Flow::Out | Flow::Both)
                {
                    return Err(inwards_only(&line, field));
                }
                What::Field(field, *choice)
            }
            (_, Some(answer)) => What::Match(answer),
            _ => {
                let message = "the plan has no row about this record; make a new plan and decide \
                    that, or write ask to be asked again about what was decided before";
                let problem = Problem::new(&line, "external_id", "decision.no_row", message);
                return Err(problem);
            }
        };
        Ok(Self {
            id: ExternalId::new(line.external_id.as_str()),
            line,
            what,
            row_done: false,
        })
    }
}

/// Nothing of ours is written where the field flows inwards only.
pub(super) fn inwards_only(line: &Line, field: Field) -> Problem {
    Problem::new(
        line,
        "decision",
        "decision.inwards_only",
        format!(
            "{field} flows inwards only: nothing of ours is written to the source; write theirs or skip"
        ),
    )
}

fn asked(line: &Line) -> Result<What, Problem> {
    if !line.field.trim().is_empty() {
        return Ok(What::AskField(field(line)?));
    }
    let held = line.held.trim();
    if held.is_empty() {
        return Ok(What::AskMatter(Matter::Match));
    }
    let kind = HoldKind::from_word(held).ok_or_else(|| {
        let message = "this is no kind of hold; write the word of the column held";
        Problem::new(line, "held", "hold.unknown", message)
    })?;
    Ok(What::AskMatter(Matter::Hold(kind)))
}

fn field(line: &Line) -> Result<Field, Problem> {
    line.field.trim().parse::<Field>().map_err(|_| {
        let message = "this is no field; write its canonical name, as the plan prints it";
        Problem::new(line, "field", "decision.unfit", message)
    })
}
