//! What does the policy say? One reaction per situation.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use muster_model::engagement::employment_on;
use muster_model::policy::NewReaction;
use muster_model::{
    Access, AccessCause, Engagement, EngagementStatus, Person, Policy, Reaction, Situation,
};

/// What happens to somebody's employment and access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// What it is called.
    pub reaction: Reaction,
    /// Employment then.
    pub employment: EngagementStatus,
    /// Access then.
    pub access: Access,
    /// Why access stays although employment ends.
    pub spared: Option<Spared>,
}

/// Why somebody who leaves keeps access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spared {
    /// The policy only reports.
    Policy,
    /// The owner, the last administrator, or protected by hand.
    Protected,
}

impl Spared {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Policy => "decide.policy_reports",
            Self::Protected => "decide.protected",
        }
    }
}

/// Employment by the union of engagements, on a day, with the days of grace:
/// somebody has left only when nothing runs, nothing begins within the grace
/// period, and the grace after the last day is over.
#[must_use]
pub fn employment<'a>(
    engagements: impl Iterator<Item = &'a Engagement> + Clone,
    today: Date,
    grace_days: u16,
) -> EngagementStatus {
    let Some(status) = employment_on(engagements.clone(), today) else {
        return EngagementStatus::Unknown;
    };
    let grace: Span = i64::from(grace_days).days();
    let over = |engagement: &&Engagement| engagement.status_on(today) == EngagementStatus::Ended;
    match status {
        EngagementStatus::Future if engagements.clone().any(|one| over(&one)) => {
            let begins = engagements
                .filter(|one| !over(one))
                .filter_map(|one| one.start_date.value().copied())
                .min();
            let bridged = today
                .checked_add(grace)
                .is_ok_and(|last| begins.is_some_and(|begins| begins <= last));
            if bridged {
                EngagementStatus::Active
            } else {
                EngagementStatus::Ended
            }
        }
        EngagementStatus::Ended if grace_days > 0 => {
            let ended = engagements
                .filter_map(|one| one.end_date.value().copied())
                .max();
            let in_grace = ended
                .and_then(|ended| ended.checked_add(grace).ok())
                .is_some_and(|last| today <= last);
            if in_grace {
                EngagementStatus::Active
            } else {
                EngagementStatus::Ended
            }
        }
        status => status,
    }
}

/// What a linked person's employment, as it now is, causes.
#[must_use]
pub fn turn(
    policy: &Policy,
    person: &Person,
    situation: Situation,
    employment: EngagementStatus,
    last_administrator: bool,
    today: Date,
) -> Turn {
    let stay = |reaction, spared| Turn {
        reaction,
        employment,
        access: person.access,
        spared,
    };
    if employment != EngagementStatus::Ended {
        let may_return = person.access.is_off() && person.access_cause == Some(AccessCause::Sync);
        return if may_return && employment.runs() {
            Turn {
                reaction: Reaction::Restore,
                employment,
                access: person.access_before.unwrap_or(Access::NotInvited),
                spared: None,
            }
        } else {
            stay(Reaction::Update, None)
        };
    }
    // Whose invitation was withdrawn when they left has nothing more to lose.
    let withdrawn = person.employment == EngagementStatus::Ended
        && matches!(person.access, Access::None | Access::NotInvited);
    if withdrawn || person.access.is_off() {
        let reaction = if person.employment == employment {
            Reaction::Update
        } else {
            Reaction::End
        };
        return stay(reaction, None);
    }
    let answer = match situation {
        Situation::Gone => policy.gone,
        Situation::OutOfScope => policy.out_of_scope,
        _ => policy.ended,
    };
    if !policy.cuts(answer) {
        return stay(Reaction::Report, Some(Spared::Policy));
    }
    let standing = &person.standing;
    let protected = standing.owner
        || last_administrator
        || standing.protected_until.is_some_and(|until| today <= until);
    // Whatever the policy answers: nobody can suspend the owner (REV-24).
    if protected {
        return stay(Reaction::Report, Some(Spared::Protected));
    }
    match person.access {
        // An invitation is not access: it is withdrawn, and there is nothing to suspend.
        Access::Invited => Turn {
            reaction: Reaction::Withdraw,
            employment,
            access: Access::NotInvited,
            spared: None,
        },
        // Who was never invited is suspended as well: nobody invites them by mistake.
        _ => Turn {
            reaction: Reaction::Suspend,
            employment,
            access: Access::Suspended,
            spared: None,
        },
    }
}

/// What a joiner causes: the reaction, and the access they begin with.
#[must_use]
pub const fn joiner(policy: &Policy) -> (Reaction, Access) {
    match policy.new {
        NewReaction::Offer => (Reaction::Offer, Access::None),
        NewReaction::Ask => (Reaction::Ask, Access::None),
        NewReaction::Create => (Reaction::Create, Access::NotInvited),
        NewReaction::CreateAndInvite if policy.auto_invite => (Reaction::Invite, Access::Invited),
        NewReaction::CreateAndInvite => (Reaction::Create, Access::NotInvited),
    }
}
