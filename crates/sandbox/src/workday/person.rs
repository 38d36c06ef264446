//! How a tenant knows its workers: ids, names, and where they stand on a day.

use jiff::civil::Date;

use crate::company::{
    Department, Employee, Engagement, EngagementKind, NationalId, Phone, e164, primary,
};
use crate::stage::{Roster, scattered};

/// Digits of half a WID.
const HALF: usize = 16;

/// The vendor's own id of a worker: its second half is the id of the books.
pub(super) fn wid(id: u64) -> String {
    format!("{:016x}{id:016x}", scattered(0, id))
}

/// The id of the books behind a WID.
pub(super) fn id_of(wid: &str) -> Option<u64> {
    let id = u64::from_str_radix(wid.get(HALF..)?, 16).ok()?;
    (self::wid(id) == wid).then_some(id)
}

/// A WID of something that is no worker.
pub(super) fn other_wid(kind: &str, text: &str) -> String {
    let mix = |salt: u64| {
        kind.bytes()
            .chain(text.bytes())
            .fold(salt, |mixed, byte| scattered(mixed, u64::from(byte)))
    };
    format!("{:016x}{:016x}", mix(1), mix(2))
}

/// The number a worker goes by. A tenant gives everybody one: who has none in the
/// books gets one of the tenant's making.
pub(super) fn number(employee: &Employee) -> String {
    match &employee.employee_number {
        Some(number) => number.clone(),
        None => format!("W{}", employee.id),
    }
}

pub(super) fn full_name(employee: &Employee) -> String {
    format!("{} {}", employee.given_name, employee.family_name)
}

/// Somebody as a tenant knows them on a day.
#[derive(Clone, Copy)]
pub(super) struct Person<'a> {
    pub(super) roster: &'a Roster,
    pub(super) employee: &'a Employee,
    /// As of which day.
    pub(super) day: Date,
}

/// Whether somebody has begun by a day; who begins later is not shown.
pub(super) fn has_begun(employee: &Employee, day: Date) -> bool {
    let mut begun = employee.engagements.iter();
    begun.any(|engagement| engagement.start_date <= day)
}

/// The engagement that counts on a day: of those that run the primary one, else
/// the one that ended last.
pub(super) fn current(employee: &Employee, day: Date) -> Option<&Engagement> {
    if employee.is_running_on(day) {
        return primary(employee, day);
    }
    employee
        .engagements
        .iter()
        .filter(|engagement| engagement.start_date <= day)
        .max_by_key(|engagement| (engagement.end_date, engagement.id))
}

/// Whether somebody is hired in on a day.
pub(super) fn is_contingent(employee: &Employee, day: Date) -> bool {
    current(employee, day).is_some_and(|one| one.kind == EngagementKind::Contractor)
}

impl Person<'_> {
    pub(super) fn is_active(&self) -> bool {
        self.employee.is_running_on(self.day)
    }

    /// The name with what the tenant puts behind it.
    pub(super) fn descriptor(&self) -> String {
        let kind = match is_contingent(self.employee, self.day) {
            true => " [C]",
            false => "",
        };
        let state = match self.is_active() {
            true => "",
            false => " (Terminated)",
        };
        format!("{}{kind}{state}", full_name(self.employee))
    }

    /// The manager, when they are still known.
    pub(super) fn manager(&self) -> Option<Person<'_>> {
        let employee = self.roster.manager(self.employee)?;
        Some(Person { employee, ..*self })
    }
}

/// A telephone number as the tenant formats it, with the country's calling code
/// and the rest where the country is known.
pub(super) fn phone(phone: &Phone) -> (String, Option<(&'static str, String)>) {
    let code = match phone.country.as_deref() {
        Some("NO") => "47",
        Some("SE") => "46",
        Some("GB") => "44",
        _ => return (phone.number.clone(), None),
    };
    let whole = e164(phone);
    let national = whole.trim_start_matches('+').strip_prefix(code);
    let national = national.unwrap_or_default().to_owned();
    (format!("+{code} {national}"), Some((code, national)))
}

/// A country's code of three letters, for the countries of made-up people.
pub(super) fn three_letters(country: &str) -> Option<&'static str> {
    Some(match country {
        "DE" => "DEU",
        "DK" => "DNK",
        "EE" => "EST",
        "ES" => "ESP",
        "FI" => "FIN",
        "FR" => "FRA",
        "GB" => "GBR",
        "IE" => "IRL",
        "IS" => "ISL",
        "LT" => "LTU",
        "LV" => "LVA",
        "NL" => "NLD",
        "NO" => "NOR",
        "PL" => "POL",
        "SE" => "SWE",
        "US" => "USA",
        _ => return None,
    })
}

/// The country that gave a national id.
pub(super) fn issuer(id: &NationalId) -> &str {
    match id {
        NationalId::Norwegian { .. } | NationalId::DNumber { .. } => "NO",
        NationalId::Foreign { country, .. } => country,
    }
}

/// The name under which the vendor keeps a company.
pub(super) fn tenant(account_id: u64) -> String {
    format!("muster{account_id}")
}

/// When what changed on a day was entered, as the vendor writes moments.
pub(super) fn entered(day: Date) -> String {
    format!("{day}T04:00:00.000-08:00")
}

/// Somebody's department.
pub(super) fn department<'a>(roster: &'a Roster, employee: &Employee) -> Option<&'a Department> {
    let departments = &roster.company.departments;
    let id = employee.department?;
    let at = departments
        .binary_search_by_key(&id, |department| department.id)
        .ok()?;
    departments.get(at)
}

/// The department's name with its manager's behind it, as the vendor shows
/// supervisory organizations.
pub(super) fn organization_descriptor(roster: &Roster, department: &Department) -> String {
    let manager = department.manager.and_then(|id| roster.employee(id));
    match manager {
        Some(manager) => format!("{} ({})", department.name, full_name(manager)),
        None => department.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wid_names_one_worker() {
        assert_eq!(wid(1001).len(), 32);
        assert_eq!(id_of(&wid(1001)), Some(1001));
        assert_eq!(id_of(&format!("{}1", wid(1001).split_at(31).0)), None);
        assert_eq!(id_of("21001"), None);
    }
}
