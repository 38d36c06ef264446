//! A company with the ids under which SuccessFactors keeps it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::company::{Department, Employee, Engagement};
use crate::stage::Roster;

/// What an engagement's user id begins with: people's ids and users' ids are
/// different things, and nobody may take one for the other.
const USER: &str = "sf";

/// A company and who is who in it.
#[derive(Debug)]
pub(super) struct Register {
    pub(super) roster: Arc<Roster>,
    /// `personIdExternal` to employee.
    people: BTreeMap<String, u64>,
    /// Engagement to employee.
    users: BTreeMap<u64, u64>,
    /// Who does not have their employee number as id, with the id.
    renamed: BTreeMap<u64, String>,
}

impl Register {
    pub(super) fn of(roster: Arc<Roster>) -> Self {
        let (mut people, mut users, mut renamed) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for employee in roster.employees() {
            for engagement in &employee.engagements {
                users.insert(engagement.id, employee.id);
            }
            match &employee.employee_number {
                // The first record under a number keeps it.
                Some(number) if !people.contains_key(number) => {
                    people.insert(number.clone(), employee.id);
                }
                // Nobody is without an id: who has no number gets one.
                _ => {
                    let id = format!("P{}", employee.id);
                    people.insert(id.clone(), employee.id);
                    renamed.insert(employee.id, id);
                }
            }
        }
        Self {
            roster,
            people,
            users,
            renamed,
        }
    }

    /// The id of a person: the employee number where there is one.
    pub(super) fn person_id<'a>(&'a self, employee: &'a Employee) -> &'a str {
        match self.renamed.get(&employee.id) {
            Some(id) => id,
            None => employee.employee_number.as_deref().unwrap_or_default(),
        }
    }

    /// The employee of a person's id.
    pub(super) fn person(&self, id: &str) -> Option<&Employee> {
        self.roster.employee(*self.people.get(id)?)
    }

    /// The employee of a user's id.
    pub(super) fn user(&self, id: &str) -> Option<&Employee> {
        let engagement: u64 = id.strip_prefix(USER)?.parse().ok()?;
        self.roster.employee(*self.users.get(&engagement)?)
    }

    /// Somebody's department.
    pub(super) fn department(&self, employee: &Employee) -> Option<&Department> {
        let departments = &self.roster.company.departments;
        let at = departments.binary_search_by_key(&employee.department?, |one| one.id);
        departments.get(at.ok()?)
    }

    /// Somebody's manager with the employment that counts, when they have one.
    pub(super) fn manager(&self, employee: &Employee) -> Option<(&Employee, &Engagement)> {
        let manager = self.roster.manager(employee)?;
        Some((manager, self.roster.primary(manager)?))
    }
}

/// The user id of an employment.
pub(super) fn user_id(engagement: &Engagement) -> String {
    format!("{USER}{}", engagement.id)
}
