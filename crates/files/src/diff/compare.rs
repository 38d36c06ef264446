//! Compares two tables.

use crate::column::{Column, ColumnMap};
use crate::diff::join::{Crowd, Fate, Joined};
use crate::diff::line::{Difference, Key, Line, Situation};
use crate::diff::report::DiffReport;
use crate::diff::side::{Side, Sides};
use crate::normal::{Normal, Region};
use crate::row::{Cell, Row};

/// What is compared, and how.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    /// The columns that together name a person.
    pub key: Vec<Column>,
    /// What was said of columns.
    pub map: ColumnMap,
    /// In whose national form telephone numbers are read.
    pub region: Region,
    /// Are values different when their text is? Keys are always found by their
    /// compared form.
    pub exact: bool,
}

/// Two tables, compared.
#[derive(Debug)]
pub struct Comparison<'a> {
    sides: &'a Sides,
    joined: Joined,
    fields: Vec<Shared>,
    exact: bool,
    threads: usize,
}

/// A column that both tables have.
#[derive(Debug)]
struct Shared {
    name: String,
    left: usize,
    right: usize,
    normal: Normal,
}

impl<'a> Comparison<'a> {
    /// Finds out who is who, with so many threads.
    #[must_use]
    pub fn new(sides: &'a Sides, options: &DiffOptions, threads: usize) -> Self {
        let of_right = |column: &Column| {
            let mut columns = sides.right.columns.iter();
            columns.position(|other| other == column)
        };
        let shared = |(left, column): (usize, &Column)| {
            Some(Shared {
                name: column.name().to_owned(),
                left,
                right: of_right(column)?,
                normal: Normal::of(column, options.region),
            })
        };
        Self {
            joined: Joined::new(&sides.left, &sides.right, threads),
            fields: sides
                .left
                .columns
                .iter()
                .enumerate()
                .filter_map(shared)
                .collect(),
            sides,
            exact: options.exact,
            threads: threads.max(1),
        }
    }

    /// The columns that only the left has, and those that only the right has.
    /// They are not compared: a file that does not speak of something does not
    /// say that it is empty.
    #[must_use]
    pub fn not_compared(&self) -> (Vec<&'a str>, Vec<&'a str>) {
        let missing = |one: &'a Side, other: &Side| {
            let columns = one.columns.iter();
            let missing = columns.filter(|column| !other.columns.contains(column));
            missing.map(Column::name).collect()
        };
        let Sides { left, right } = self.sides;
        (missing(left, right), missing(right, left))
    }

    /// The counts.
    #[must_use]
    pub fn report(&self) -> DiffReport {
        let Sides { left, right } = self.sides;
        let share = left
            .len()
            .div_ceil(u32::try_from(self.threads).unwrap_or(1))
            .max(1);
        let counts = std::thread::scope(|scope| {
            let mut begin = 0;
            let mut counting = Vec::new();
            while begin < left.len() {
                let end = begin.saturating_add(share).min(left.len());
                counting.push(scope.spawn(move || self.count(begin..end)));
                begin = end;
            }
            let counts: Vec<Counts> = counting
                .into_iter()
                .map(|counts| {
                    counts
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect();
            counts
        });
        let mut report = DiffReport {
            left: left.len().into(),
            right: right.len().into(),
            ..DiffReport::default()
        };
        let mut fields = vec![0; self.fields.len()];
        for counts in counts {
            report.matched += counts.matched;
            report.changed += counts.changed;
            report.only_left += counts.only;
            report.ambiguous_left += counts.ambiguous;
            report.invalid_left += counts.invalid;
            for (sum, count) in fields.iter_mut().zip(counts.fields) {
                *sum += count;
            }
        }
        for row in 0..right.len() {
            match self.joined.right(row) {
                Fate::Only => report.only_right += 1,
                Fate::Ambiguous => report.ambiguous_right += 1,
                Fate::Invalid => report.invalid_right += 1,
                Fate::Matched { .. } => {}
            }
        }
        report.fields = self
            .fields
            .iter()
            .zip(fields)
            .filter(|(_, count)| *count > 0)
            .map(|(field, count)| (field.name.clone(), count))
            .collect();
        report
            .fields
            .sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        report
    }

    fn count(&self, rows: std::ops::Range<u32>) -> Counts {
        let mut counts = Counts {
            fields: vec![0; self.fields.len()],
            ..Counts::default()
        };
        let mut scratch = Scratch::default();
        for row in rows {
            match self.joined.left(row) {
                Fate::Only => counts.only += 1,
                Fate::Ambiguous => counts.ambiguous += 1,
                Fate::Invalid => counts.invalid += 1,
                Fate::Matched { same: true, .. } => counts.matched += 1,
                Fate::Matched { partner, .. } => {
                    counts.matched += 1;
                    let mut changed = false;
                    self.differences(row, partner, &mut scratch, |field, _, _| {
                        changed = true;
                        if let Some(count) = counts.fields.get_mut(field) {
                            *count += 1;
                        }
                    });
                    counts.changed += u64::from(changed);
                }
            }
        }
        counts
    }

    /// Tells each difference of two rows: field, left, right.
    fn differences(
        &self,
        left: u32,
        right: u32,
        scratch: &mut Scratch<'a>,
        mut tell: impl FnMut(usize, Cell<'a>, Cell<'a>),
    ) {
        scratch.left.clear();
        scratch.left.extend(self.sides.left.row(left).cells());
        scratch.right.clear();
        scratch.right.extend(self.sides.right.row(right).cells());
        for (index, field) in self.fields.iter().enumerate() {
            let cell = |cells: &[Cell<'a>], column| {
                // A row of NDJSON ends with its last column.
                cells.get(column).copied().unwrap_or(Cell::EMPTY)
            };
            let left = cell(&scratch.left, field.left);
            let right = cell(&scratch.right, field.right);
            if left == right {
                continue;
            }
            let (one, two) = (left.text(), right.text());
            if one != two && (self.exact || !field.normal.same(&one, &two)) {
                tell(index, left, right);
            }
        }
    }

    /// Tells everybody who is not the same on both sides: those of the left in
    /// their order, then those who are on the right only.
    ///
    /// # Errors
    /// What `tell` gives.
    pub fn tell<E>(&self, mut tell: impl FnMut(Line) -> Result<(), E>) -> Result<(), E> {
        let Sides { left, right } = self.sides;
        let mut crowds = self.joined.crowds.iter().peekable();
        let mut scratch = Scratch::default();
        for id in 0..left.len() {
            match self.joined.left(id) {
                Fate::Only => tell(self.line(Situation::OnlyLeft, left.row(id), left, &[id], &[]))?,
                Fate::Invalid => {
                    tell(self.line(Situation::Invalid, left.row(id), left, &[id], &[]))?
                }
                Fate::Ambiguous => {
                    let begins = |crowd: &&Crowd| crowd.left.first() == Some(&id);
                    if let Some(crowd) = crowds.next_if(begins) {
                        tell(self.line(
                            Situation::Ambiguous,
                            left.row(id),
                            left,
                            &crowd.left,
                            &crowd.right,
                        ))?;
                    }
                }
                Fate::Matched { same: true, .. } => {}
                Fate::Matched { partner, .. } => {
                    let mut differences = Vec::new();
                    self.differences(id, partner, &mut scratch, |field, left, right| {
                        differences.push(Difference {
                            field: self
                                .fields
                                .get(field)
                                .map_or_else(String::new, |field| field.name.clone()),
                            left: left.text().into_owned(),
                            right: right.text().into_owned(),
                        });
                    });
                    if !differences.is_empty() {
                        let mut line =
                            self.line(Situation::Changed, left.row(id), left, &[id], &[partner]);
                        line.differences = differences;
                        tell(line)?;
                    }
                }
            }
        }
        for id in 0..right.len() {
            match self.joined.right(id) {
                Fate::Only => {
                    tell(self.line(Situation::OnlyRight, right.row(id), right, &[], &[id]))?;
                }
                Fate::Invalid => {
                    tell(self.line(Situation::Invalid, right.row(id), right, &[], &[id]))?;
                }
                Fate::Ambiguous => {
                    let begins =
                        |crowd: &&Crowd| crowd.left.is_empty() && crowd.right.first() == Some(&id);
                    if let Some(crowd) = crowds.next_if(begins) {
                        let line = self.line(
                            Situation::Ambiguous,
                            right.row(id),
                            right,
                            &[],
                            &crowd.right,
                        );
                        tell(line)?;
                    }
                }
                Fate::Matched { .. } => {}
            }
        }
        Ok(())
    }

    fn line(
        &self,
        situation: Situation,
        row: Row<'_>,
        side: &Side,
        left: &[u32],
        right: &[u32],
    ) -> Line {
        let numbers = |side: &Side, ids: &[u32]| ids.iter().map(|id| side.number(*id)).collect();
        Line {
            key: Key(side.key(row)),
            situation,
            differences: Vec::new(),
            left_rows: numbers(&self.sides.left, left),
            right_rows: numbers(&self.sides.right, right),
        }
    }
}

#[derive(Default)]
struct Counts {
    matched: u64,
    changed: u64,
    only: u64,
    ambiguous: u64,
    invalid: u64,
    fields: Vec<u64>,
}

/// The cells of the two rows at hand.
#[derive(Default)]
struct Scratch<'a> {
    left: Vec<Cell<'a>>,
    right: Vec<Cell<'a>>,
}
