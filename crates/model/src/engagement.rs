//! Employments and contracts: what a person has, and what of it holds on a day.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::digest::Digester;
use crate::field::Field;
use crate::fields::Fields;
use crate::said::Said;
use crate::value::{Percentage, Value};

/// One employment or contract as a source says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engagement {
    /// The source's id of it.
    pub id: String,
    /// What kind it is.
    #[serde(default)]
    pub kind: EngagementKind,
    /// The status that the source says by itself; dates can still overrule it.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub status: Said<EngagementStatus>,
    /// First day.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub start_date: Said<Date>,
    /// Last day; null when it is open.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub end_date: Said<Date>,
    /// Why it ended, in the source's code.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub end_reason: Said<String>,
    /// Does the source call it the main one?
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub primary: Said<bool>,
    /// The terms, as far as they do not change by date.
    #[serde(flatten)]
    pub terms: Terms,
    /// Terms that hold from a day on, by that day; future ones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<Period>,
}

/// What kind of engagement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngagementKind {
    /// Employed.
    #[default]
    Employee,
    /// Hired in or freelance.
    Contractor,
    /// Neither.
    Other,
}

/// The state of an engagement, and of a person's employment as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngagementStatus {
    /// Working.
    Active,
    /// Employed, away for a time.
    OnLeave,
    /// Employed, without work for a time.
    LaidOff,
    /// Not begun.
    Future,
    /// Over.
    Ended,
    /// The source does not let it be known.
    Unknown,
}

impl EngagementStatus {
    /// The canonical word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::OnLeave => "on_leave",
            Self::LaidOff => "laid_off",
            Self::Future => "future",
            Self::Ended => "ended",
            Self::Unknown => "unknown",
        }
    }

    /// The status of a canonical word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Active,
            Self::OnLeave,
            Self::LaidOff,
            Self::Future,
            Self::Ended,
            Self::Unknown,
        ]
        .into_iter()
        .find(|status| status.name() == name)
    }

    /// Is somebody with this status employed now? Unknown counts: nobody loses
    /// access because a source keeps silent.
    #[must_use]
    pub const fn runs(self) -> bool {
        matches!(
            self,
            Self::Active | Self::OnLeave | Self::LaidOff | Self::Unknown
        )
    }
}

/// What may change during an engagement.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Terms {
    /// Employment type in the source's code.
    #[serde(default, rename = "type", skip_serializing_if = "Said::is_absent")]
    pub employment_type: Said<String>,
    /// Percent of full time.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub percentage: Said<Percentage>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub job_title: Said<String>,
    /// Department by name.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub department: Said<String>,
    /// Place of work.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub location: Said<String>,
    /// Cost centre.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub cost_centre: Said<String>,
    /// The manager's record in the same source.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub manager_external_id: Said<String>,
    /// The manager's address.
    #[serde(default, skip_serializing_if = "Said::is_absent")]
    pub manager_email: Said<String>,
}

/// Terms that hold from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// What is said for it.
    #[serde(flatten)]
    pub terms: Terms,
}

impl Period {
    /// In one line, for people.
    fn shown(&self) -> String {
        let percentage = self
            .terms
            .percentage
            .value()
            .map(|part| format!("{part} %"));
        let texts = self.terms.texts();
        let terms: Vec<&str> = texts
            .iter()
            .filter_map(|said| said.value().map(String::as_str))
            .chain(percentage.as_deref())
            .collect();
        format!("from {} {}", self.from, terms.join(", "))
    }
}

impl Terms {
    fn overlay(self, below: Self) -> Self {
        Self {
            employment_type: self.employment_type.or(below.employment_type),
            percentage: self.percentage.or(below.percentage),
            job_title: self.job_title.or(below.job_title),
            department: self.department.or(below.department),
            location: self.location.or(below.location),
            cost_centre: self.cost_centre.or(below.cost_centre),
            manager_external_id: self.manager_external_id.or(below.manager_external_id),
            manager_email: self.manager_email.or(below.manager_email),
        }
    }

    fn texts(&self) -> [&Said<String>; 7] {
        [
            &self.employment_type,
            &self.job_title,
            &self.department,
            &self.location,
            &self.cost_centre,
            &self.manager_external_id,
            &self.manager_email,
        ]
    }

    fn digest_into(&self, digester: &mut Digester) {
        for text in self.texts() {
            digest_said(digester, text, |digester, text| {
                digester.text(text);
            });
        }
        digest_said(digester, &self.percentage, |digester, percentage| {
            digester.number(percentage.hundredths().into());
        });
    }
}

fn digest_said<T>(digester: &mut Digester, said: &Said<T>, value: impl Fn(&mut Digester, &T)) {
    match said {
        Said::Absent => {
            digester.number(0);
        }
        Said::Null => {
            digester.number(1);
        }
        Said::Value(said) => {
            digester.number(2);
            value(digester, said);
        }
    }
}

impl Engagement {
    /// An engagement of which only the id is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind: EngagementKind::default(),
            status: Said::Absent,
            start_date: Said::Absent,
            end_date: Said::Absent,
            end_reason: Said::Absent,
            primary: Said::Absent,
            terms: Terms::default(),
            periods: Vec::new(),
        }
    }

    /// Its state on a day. The last day is a working day: it is over the day after.
    #[must_use]
    pub fn status_on(&self, today: Date) -> EngagementStatus {
        let said = self.status.value().copied();
        if said == Some(EngagementStatus::Ended)
            || self.end_date.value().is_some_and(|end| *end < today)
        {
            return EngagementStatus::Ended;
        }
        match self.start_date.value() {
            Some(start) if *start > today => EngagementStatus::Future,
            // A source's "future" whose day has come is in fact running.
            Some(_) => match said {
                None | Some(EngagementStatus::Future) => EngagementStatus::Active,
                Some(said) => said,
            },
            None => said.unwrap_or(EngagementStatus::Unknown),
        }
    }

    /// The terms of a day: the last period begun, or the first while none has.
    #[must_use]
    pub fn terms_on(&self, today: Date) -> Terms {
        let period = self
            .periods
            .iter()
            .rfind(|period| period.from <= today)
            .or_else(|| self.periods.first());
        match period {
            Some(period) => period.terms.clone().overlay(self.terms.clone()),
            None => self.terms.clone(),
        }
    }

    /// The next day on which something of it changes by itself.
    #[must_use]
    pub fn next_change_after(&self, today: Date) -> Option<Date> {
        let start = self.start_date.value().copied();
        let over = self.end_date.value().and_then(|end| end.tomorrow().ok());
        start
            .into_iter()
            .chain(over)
            .chain(self.periods.iter().map(|period| period.from))
            .filter(|day| *day > today)
            .min()
    }

    /// In one line, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let day = |said: &Said<Date>| said.value().map_or_else(|| "…".to_owned(), Date::to_string);
        format!(
            "{} {} – {}",
            self.id,
            day(&self.start_date),
            day(&self.end_date)
        )
    }

    /// As [`Engagement::shown`], with the terms of each period.
    #[must_use]
    pub fn shown_with_terms(&self) -> String {
        let periods: Vec<String> = self.periods.iter().map(Period::shown).collect();
        let status = self.status.value().map(|status| status.name());
        let reason = self.end_reason.value().map(String::as_str);
        let more: Vec<&str> = status
            .into_iter()
            .chain(reason)
            .chain(periods.iter().map(String::as_str))
            .collect();
        format!("{} ({})", self.shown(), more.join("; "))
    }

    pub(crate) fn digest_into(&self, digester: &mut Digester) {
        digester.text(&self.id).number(match self.kind {
            EngagementKind::Employee => 0,
            EngagementKind::Contractor => 1,
            EngagementKind::Other => 2,
        });
        digest_said(digester, &self.status, |digester, status| {
            digester.text(status.name());
        });
        for date in [&self.start_date, &self.end_date] {
            digest_said(digester, date, |digester, date| {
                digester.text(&date.to_string());
            });
        }
        digest_said(digester, &self.end_reason, |digester, reason| {
            digester.text(reason);
        });
        digest_said(digester, &self.primary, |digester, primary| {
            digester.number(u64::from(*primary));
        });
        self.terms.digest_into(digester);
        digester.number(self.periods.len() as u64);
        for period in &self.periods {
            digester.text(&period.from.to_string());
            period.terms.digest_into(digester);
        }
    }
}

/// The primary one on a day: running before future before ended; then the
/// largest percentage; the earliest start; the id.
#[must_use]
pub fn primary(engagements: &[Engagement], today: Date) -> Option<&Engagement> {
    engagements.iter().min_by(|one, two| {
        let rank = |engagement: &Engagement| match engagement.status_on(today) {
            EngagementStatus::Future => 1,
            EngagementStatus::Ended => 2,
            _ => 0,
        };
        let percentage =
            |engagement: &Engagement| engagement.terms_on(today).percentage.into_value();
        let start = |engagement: &Engagement| {
            // One without a start comes after those with one.
            engagement.start_date.value().copied().unwrap_or(Date::MAX)
        };
        rank(one)
            .cmp(&rank(two))
            .then_with(|| percentage(two).cmp(&percentage(one)))
            .then_with(|| start(one).cmp(&start(two)))
            .then_with(|| one.id.cmp(&two.id))
    })
}

/// The employment of somebody with these engagements, on a day: the best of
/// them. `None` when there are none: nothing is said.
#[must_use]
pub fn employment_on<'a>(
    engagements: impl IntoIterator<Item = &'a Engagement>,
    today: Date,
) -> Option<EngagementStatus> {
    engagements
        .into_iter()
        .map(|engagement| engagement.status_on(today))
        .min_by_key(|status| match status {
            EngagementStatus::Active => 0,
            EngagementStatus::OnLeave => 1,
            EngagementStatus::LaidOff => 2,
            EngagementStatus::Unknown => 3,
            EngagementStatus::Future => 4,
            EngagementStatus::Ended => 5,
        })
}

/// Puts the flat employment fields of the primary engagement over what is said
/// of the person by itself.
#[must_use]
pub fn flatten(fields: &Fields, today: Date) -> Fields {
    let mut flat = fields.clone();
    let Some(engagements) = fields
        .value(Field::Engagements)
        .and_then(Value::as_engagements)
    else {
        return flat;
    };
    let Some(primary) = primary(engagements, today) else {
        return flat;
    };
    let terms = primary.terms_on(today);
    let text = |said: Said<String>| said.map(Value::Text);
    for (field, said) in [
        (Field::JobTitle, text(terms.job_title)),
        (Field::Department, text(terms.department)),
        (Field::Location, text(terms.location)),
        (Field::CostCentre, text(terms.cost_centre)),
        (Field::ManagerExternalId, text(terms.manager_external_id)),
        (Field::ManagerEmail, text(terms.manager_email)),
        (Field::EmploymentType, text(terms.employment_type)),
        (
            Field::EmploymentPercentage,
            terms.percentage.map(Value::Percentage),
        ),
        (Field::StartDate, primary.start_date.map(Value::Date)),
        (Field::EndDate, primary.end_date.map(Value::Date)),
    ] {
        if !said.is_absent() {
            flat.set(field, said);
        }
    }
    let status = employment_on(engagements, today).unwrap_or(EngagementStatus::Unknown);
    flat.put(Field::EmploymentStatus, Value::text(status.name()));
    flat
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn engagement(id: &str, start: Date, end: Option<Date>, percent: f64) -> Engagement {
        let mut engagement = Engagement::new(id);
        engagement.start_date = Said::Value(start);
        engagement.end_date = Said::from_nullable(end);
        engagement.terms.percentage = Said::from_optional(Percentage::from_percent(percent));
        engagement
    }

    #[test]
    fn the_last_day_is_still_employment() {
        let engagement = engagement("1", date(2025, 1, 1), Some(date(2025, 3, 31)), 100.0);
        for (today, status) in [
            (date(2024, 12, 31), EngagementStatus::Future),
            (date(2025, 1, 1), EngagementStatus::Active),
            (date(2025, 3, 31), EngagementStatus::Active),
            (date(2025, 4, 1), EngagementStatus::Ended),
        ] {
            assert_eq!(engagement.status_on(today), status, "on {today}");
        }
    }

    #[test]
    fn primary_is_running_then_largest_then_earliest_then_by_id() {
        let today = date(2025, 6, 1);
        let ended = engagement("a", date(2020, 1, 1), Some(date(2024, 1, 1)), 100.0);
        let future = engagement("b", date(2025, 9, 1), None, 100.0);
        let small = engagement("c", date(2021, 1, 1), None, 20.0);
        let large = engagement("d", date(2022, 1, 1), None, 60.0);
        let same = engagement("e", date(2022, 1, 1), None, 60.0);
        let all = [ended.clone(), future.clone(), small, same, large];
        assert_eq!(primary(&all, today).unwrap().id, "d");
        assert_eq!(primary(&[ended, future], today).unwrap().id, "b");
    }

    #[test]
    fn a_future_period_waits_for_its_day() {
        let mut engagement = engagement("1", date(2025, 1, 1), None, 100.0);
        for (from, title) in [(date(2025, 1, 1), "Fitter"), (date(2025, 7, 1), "Foreman")] {
            let terms = Terms {
                job_title: Said::Value(title.to_owned()),
                ..Terms::default()
            };
            engagement.periods.push(Period { from, terms });
        }
        let title = |today| engagement.terms_on(today).job_title.into_value().unwrap();
        assert_eq!(title(date(2025, 6, 30)), "Fitter");
        assert_eq!(title(date(2025, 7, 1)), "Foreman");
        assert_eq!(
            engagement.next_change_after(date(2025, 6, 30)),
            Some(date(2025, 7, 1))
        );
        assert_eq!(engagement.next_change_after(date(2025, 7, 1)), None);
    }

    #[test]
    fn a_contractor_who_became_an_employee_is_employed_throughout() {
        let contract = engagement("1", date(2024, 1, 1), Some(date(2025, 3, 10)), 100.0);
        let job = engagement("2", date(2025, 3, 1), None, 100.0);
        for today in [date(2025, 2, 1), date(2025, 3, 5), date(2025, 3, 11)] {
            let status = employment_on([&contract, &job], today);
            assert_eq!(status, Some(EngagementStatus::Active), "on {today}");
        }
    }
}
