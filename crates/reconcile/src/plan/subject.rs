//! The person of whom a record, or a link without one, speaks; and who decides
//! about them.

use jiff::civil::Date;
use muster_model::engagement::employment_on;
use muster_model::time::date_in;
use muster_model::{
    Access, Engagement, EngagementStatus, ExternalId, Field, Link, Person, Situation,
};

use crate::decide::{self, Turn};
use crate::input::{Input, OtherLink, Sibling};
use crate::trust::Verdict;

/// Everything the later steps ask of one person.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) verdict: &'a Verdict,
    pub(super) external_id: &'a ExternalId,
    pub(super) person: &'a Person,
    /// `None` while the record is being joined to the person for the first time.
    pub(super) link: Option<&'a Link>,
    pub(super) others: &'a [OtherLink],
    pub(super) siblings: &'a [Sibling],
}

impl Subject<'_> {
    /// The civil day where the person is.
    pub(super) fn today(&self) -> Date {
        date_in(self.input.now, &(self.input.zone_of)(&self.person.fields))
    }

    /// Is this the read that joins the record to the person?
    pub(super) const fn is_first(&self) -> bool {
        self.link.is_none()
    }

    /// Does this record decide about the field? The first connection in the
    /// order of sources that says something does, whichever ran first; among a
    /// person's records in one connection the running one, then the lower id.
    pub(super) fn owns(&self, field: Field, own: &[Engagement], today: Date) -> bool {
        let here = (self.input.rank, self.input.connection);
        let before = |other: &OtherLink| {
            other.present && (other.rank, other.connection) < here && other.says.contains(&field)
        };
        let over = |engagements: &[Engagement]| {
            employment_on(engagements, today) == Some(EngagementStatus::Ended)
        };
        let place = (over(own), self.external_id);
        let ahead = |sibling: &Sibling| {
            sibling.present
                && sibling.says.contains(&field)
                && (over(&sibling.engagements), &sibling.external_id) < place
        };
        !self.others.iter().any(before) && !self.siblings.iter().any(ahead)
    }

    /// Does any other record of the person have a value for the field?
    pub(super) fn is_said_elsewhere(&self, field: Field) -> bool {
        self.others
            .iter()
            .any(|other| other.present && other.says.contains(&field))
            || self
                .siblings
                .iter()
                .any(|sibling| sibling.present && sibling.says.contains(&field))
    }

    /// Is this the only administrator who may enter (BEY-35)?
    pub(super) fn is_last_administrator(&self) -> bool {
        self.person.standing.administrator
            && self.person.access == Access::Active
            && self.input.administrators <= 1
    }

    /// What the employment, as it now is, causes.
    pub(super) fn turn(
        &self,
        situation: Situation,
        employment: EngagementStatus,
        today: Date,
    ) -> Turn {
        decide::turn(
            self.input.policy,
            self.person,
            situation,
            employment,
            self.is_last_administrator(),
            today,
        )
    }

    /// The next day on which this means something else by itself: an engagement
    /// turns, the grace is over, or a protection ends.
    pub(super) fn due_on(&self, engagements: &[Engagement], today: Date) -> Option<Date> {
        let unprotected = self
            .person
            .standing
            .protected_until
            .and_then(|until| until.tomorrow().ok())
            .filter(|day| *day > today);
        // Employment is a union: a day of which another source speaks turns it too.
        let elsewhere = self
            .person
            .engagements
            .iter()
            .filter(|(source, _)| **source != self.input.connection)
            .flat_map(|(_, engagements)| engagements);
        let all = engagements.iter().chain(elsewhere);
        due_on(all, today, self.input.policy.grace_days)
            .into_iter()
            .chain(unprotected)
            .min()
    }
}

/// The next day on which engagements mean something else by themselves.
pub(super) fn due_on<'a>(
    engagements: impl Iterator<Item = &'a Engagement> + Clone,
    today: Date,
    grace_days: u16,
) -> Option<Date> {
    use jiff::ToSpan;
    let grace = i64::from(grace_days).days();
    let turns = engagements
        .clone()
        .filter_map(|one| one.next_change_after(today));
    let grace_over = engagements
        .clone()
        .filter_map(|one| one.end_date.value())
        .filter_map(|end| end.checked_add(grace).ok()?.tomorrow().ok());
    let begins_within_grace = engagements
        .filter_map(|one| one.start_date.value())
        .filter_map(|start| start.checked_sub(grace).ok());
    turns
        .chain(grace_over)
        .chain(begins_within_grace)
        .filter(|day| *day > today)
        .min()
}
