//! A company with what a simulator looks up in it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::company::{Company, Employee, Engagement, Period, period_on, primary};

/// A company, indexed.
#[derive(Debug, Clone)]
pub(crate) struct Roster {
    pub(crate) company: Company,
    departments: BTreeMap<u64, String>,
    managers: BTreeSet<u64>,
    /// Who holds a work address, in small letters: of several the running one,
    /// then the newest record.
    addresses: BTreeMap<String, u64>,
}

/// Where somebody stands with the company on the day of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// An engagement is running.
    Running,
    /// The first engagement has not begun.
    Future,
    /// All engagements have ended, or there are none.
    Ended,
}

impl Roster {
    pub(crate) fn of(company: Company) -> Self {
        let mut roster = Self {
            company,
            departments: BTreeMap::new(),
            managers: BTreeSet::new(),
            addresses: BTreeMap::new(),
        };
        roster.index();
        roster
    }

    fn index(&mut self) {
        let company = &self.company;
        self.departments = company
            .departments
            .iter()
            .map(|department| (department.id, department.name.clone()))
            .collect();
        let of_people = company.employees.iter().filter_map(|one| one.manager);
        let of_departments = company.departments.iter().filter_map(|one| one.manager);
        self.managers = of_people.chain(of_departments).collect();
        let mut addresses: BTreeMap<String, (bool, u64)> = BTreeMap::new();
        for employee in &company.employees {
            if let Some(address) = &employee.work_email {
                let claim = (employee.is_running_on(company.as_of), employee.id);
                let holder = addresses.entry(address.to_lowercase()).or_insert(claim);
                *holder = (*holder).max(claim);
            }
        }
        self.addresses = addresses
            .into_iter()
            .map(|(address, (_, id))| (address, id))
            .collect();
    }

    /// The day this is the state of.
    pub(crate) fn day(&self) -> Date {
        self.company.as_of
    }

    /// All records, ascending by id.
    pub(crate) fn employees(&self) -> &[Employee] {
        &self.company.employees
    }

    /// Whose rights the integration has: the first employee. Zero without employees.
    pub(crate) fn owner(&self) -> u64 {
        self.employees().first().map_or(0, |employee| employee.id)
    }

    /// A record by its id.
    pub(crate) fn employee(&self, id: u64) -> Option<&Employee> {
        let at = self
            .employees()
            .binary_search_by_key(&id, |employee| employee.id)
            .ok()?;
        self.employees().get(at)
    }

    /// Who holds a work address.
    pub(crate) fn holder_of(&self, address: &str) -> Option<&Employee> {
        self.employee(*self.addresses.get(&address.to_lowercase())?)
    }

    /// Whether a record is the one that holds its work address.
    pub(crate) fn holds_own_address(&self, employee: &Employee) -> bool {
        employee
            .work_email
            .as_deref()
            .and_then(|address| self.holder_of(address))
            .is_some_and(|holder| holder.id == employee.id)
    }

    /// The name of somebody's department.
    pub(crate) fn department(&self, employee: &Employee) -> Option<&str> {
        self.departments
            .get(&employee.department?)
            .map(String::as_str)
    }

    /// The id of the department of this name.
    pub(crate) fn department_named(&self, name: &str) -> Option<u64> {
        self.departments
            .iter()
            .find(|(_, known)| known.as_str() == name)
            .map(|(id, _)| *id)
    }

    /// Somebody's manager, when the company still has a record of them.
    pub(crate) fn manager(&self, employee: &Employee) -> Option<&Employee> {
        self.employee(employee.manager?)
    }

    /// Whether anybody names this employee as manager.
    pub(crate) fn is_manager(&self, id: u64) -> bool {
        self.managers.contains(&id)
    }

    /// Where somebody stands today.
    pub(crate) fn state(&self, employee: &Employee) -> State {
        let day = self.day();
        if employee.is_running_on(day) {
            State::Running
        } else if employee
            .engagements
            .iter()
            .any(|engagement| engagement.start_date > day)
        {
            State::Future
        } else {
            State::Ended
        }
    }

    /// The engagement that counts today.
    pub(crate) fn primary<'a>(&self, employee: &'a Employee) -> Option<&'a Engagement> {
        primary(employee, self.day())
    }

    /// The terms of an engagement that hold today.
    pub(crate) fn terms<'a>(&self, engagement: &'a Engagement) -> Option<&'a Period> {
        period_on(engagement, self.day())
    }

    /// An id that no record has.
    pub(crate) fn next_id(&self) -> u64 {
        self.employees()
            .last()
            .map_or(1, |employee| employee.id.saturating_add(1))
    }

    /// Adds a record behind all others.
    pub(crate) fn push(&mut self, employee: Employee) {
        self.company.employees.push(employee);
        self.index();
    }

    /// Puts a record back in its place.
    pub(crate) fn insert(&mut self, employee: Employee) {
        let employees = &mut self.company.employees;
        let at = employees.partition_point(|known| known.id < employee.id);
        employees.insert(at, employee);
        self.index();
    }

    /// Replaces a record by its new state.
    pub(crate) fn replace(&mut self, employee: Employee) {
        if let Ok(at) = self
            .employees()
            .binary_search_by_key(&employee.id, |known| known.id)
            && let Some(place) = self.company.employees.get_mut(at)
        {
            *place = employee;
            self.index();
        }
    }

    /// Takes a record out.
    pub(crate) fn remove(&mut self, id: u64) {
        self.company.employees.retain(|employee| employee.id != id);
        self.index();
    }
}
