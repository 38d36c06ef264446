//! Employments as engagements.

use muster_model::engagement::{Engagement, EngagementKind, Period, Terms};
use muster_model::{Field, Said};
use serde_json::Value;

use crate::connector::FieldScope;
use crate::normalise::Draft;

/// The code for "nobody chose anything".
const NOT_CHOSEN: &str = "NOT_CHOSEN";
/// The employment type of people who are paid without being employed.
const FREELANCE: &str = "FREELANCE";

/// Engagements, and whether all that was asked for is in them.
pub(super) struct Engagements {
    /// By first day, then id.
    pub(super) engagements: Vec<Engagement>,
    /// Did every employment and detail come with its content?
    pub(super) whole: bool,
}

/// Reads the employments of a row; `None` when there is no list of them.
pub(super) fn read(row: &Value, scope: &FieldScope, draft: &mut Draft<'_>) -> Option<Engagements> {
    let employments = row.get("employments")?.as_array()?;
    let mut reader = Reader {
        scope,
        draft,
        whole: true,
    };
    let mut engagements: Vec<Engagement> = employments
        .iter()
        .filter_map(|employment| reader.engagement(employment))
        .collect();
    let whole = reader.whole;
    engagements.sort_by(|one, two| {
        let start = |engagement: &Engagement| engagement.start_date.value().copied();
        (start(one), &one.id).cmp(&(start(two), &two.id))
    });
    Some(Engagements { engagements, whole })
}

struct Reader<'a, 'b> {
    scope: &'a FieldScope,
    draft: &'a mut Draft<'b>,
    whole: bool,
}

impl Reader<'_, '_> {
    /// An employment that came as a bare reference stays an engagement of which
    /// only the id is known, so that nobody seems to have left.
    fn engagement(&mut self, employment: &Value) -> Option<Engagement> {
        let Some(id) = employment.get("id").and_then(Value::as_i64) else {
            self.whole = false;
            return None;
        };
        let mut engagement = Engagement::new(id.to_string());
        engagement.start_date = self
            .draft
            .read_date(Field::StartDate, employment.get("startDate"));
        // The vendor has no employment without a first day.
        self.whole &= engagement.start_date.value().is_some();
        engagement.end_date = self.end_date(employment);
        let reason = employment.get("employmentEndReason");
        engagement.end_reason = self.draft.read_text(Field::EndDate, reason);
        if self.scope.has(Field::Location) {
            let division = employment.pointer("/division/name");
            engagement.terms.location = self.draft.read_text(Field::Location, division);
        }
        match employment
            .get("employmentDetails")
            .and_then(Value::as_array)
        {
            Some(details) => {
                engagement.kind = kind(employment, details);
                engagement.periods = details
                    .iter()
                    .filter_map(|detail| self.period(detail))
                    .collect();
                engagement.periods.sort_by_key(|period| period.from);
            }
            None => self.whole = false,
        }
        Some(engagement)
    }

    /// Null is the one place where this vendor's silence speaks: an employment
    /// that was expanded and has no last day is open.
    fn end_date(&mut self, employment: &Value) -> Said<jiff::civil::Date> {
        match employment.get("endDate") {
            None => Said::Absent,
            Some(Value::Null) => Said::Null,
            Some(Value::String(text)) if text.trim().is_empty() => Said::Null,
            said => {
                let date = self.draft.read_date(Field::EndDate, said);
                self.whole &= date.value().is_some();
                date
            }
        }
    }

    fn period(&mut self, detail: &Value) -> Option<Period> {
        let from = self.draft.read_date(Field::Engagements, detail.get("date"));
        let Said::Value(from) = from else {
            self.whole = false;
            return None;
        };
        let mut terms = Terms::default();
        if self.scope.has(Field::EmploymentType) {
            let code = |name| chosen(detail, name).map(str::to_owned);
            terms.employment_type =
                Said::from_optional(code("employmentForm").or_else(|| code("employmentType")));
        }
        if self.scope.has(Field::EmploymentPercentage) {
            let percentage = detail.get("percentageOfFullTimeEquivalent");
            terms.percentage = self.draft.read_percentage(percentage);
        }
        if self.scope.has(Field::JobTitle) {
            let title = detail.pointer("/occupationCode/nameNO");
            terms.job_title = self.draft.read_text(Field::JobTitle, title);
        }
        Some(Period { from, terms })
    }
}

/// The kind of an employment as a whole. It must not depend on the day of the
/// read, so a freelance one is that in all its details.
fn kind(employment: &Value, details: &[Value]) -> EngagementKind {
    if employment.get("noEmploymentRelationship") == Some(&Value::Bool(true)) {
        return EngagementKind::Other;
    }
    let mut types = (details.iter())
        .filter_map(|detail| chosen(detail, "employmentType"))
        .peekable();
    if types.peek().is_some() && types.all(|code| code == FREELANCE) {
        EngagementKind::Contractor
    } else {
        EngagementKind::Employee
    }
}

fn chosen<'a>(detail: &'a Value, name: &str) -> Option<&'a str> {
    let code = detail.get(name)?.as_str()?;
    (!code.is_empty() && code != NOT_CHOSEN).then_some(code)
}
