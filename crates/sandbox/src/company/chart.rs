//! The departments of a firm: their names and the titles of the people in them.

use super::contact::{Places, table};

const DEPARTMENTS: &str = include_str!("../../data/departments.txt");
const FIRMS: &str = include_str!("../../data/firms.txt");

/// The title of the one who manages the first department and so the firm.
const CHIEF_TITLE: &str = "Daglig leder";
/// The title of somebody who leads a team inside a department.
const LEAD_TITLE: &str = "Teamleder";
/// More departments than this would only make the list longer.
const MOST_DEPARTMENTS: u32 = 1_000;
/// How many departments report to the manager of one other.
const SPAN: u32 = 8;

/// Where somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    /// Manages the firm and its first department.
    Chief,
    /// Manages a department.
    Manager,
    /// Leads a team.
    Lead,
    /// Leads nobody.
    Member,
}

/// What a department does, with its titles.
#[derive(Debug)]
struct Function {
    name: &'static str,
    manager: &'static str,
    members: Vec<&'static str>,
}

/// The shape of a firm of one size.
#[derive(Debug)]
pub(super) struct Chart {
    functions: Vec<Function>,
    towns: Vec<&'static str>,
    /// How many departments there are, at least one.
    pub(super) departments: u32,
}

impl Chart {
    /// The departments of a firm with so many people: about as many as each has people.
    pub(super) fn new(people: u32, places: &Places) -> Self {
        let functions = table(DEPARTMENTS)
            .filter_map(|columns| match columns.as_slice() {
                [name, manager, members @ ..] => Some(Function {
                    name,
                    manager,
                    members: members.to_vec(),
                }),
                _ => None,
            })
            .collect();
        Self {
            functions,
            towns: places.towns("NO"),
            departments: people.isqrt().clamp(1, MOST_DEPARTMENTS),
        }
    }

    /// The name of a department, by its ordinal; no two have the same.
    pub(super) fn name(&self, department: u32) -> String {
        let functions = self.functions.len().max(1);
        let towns = self.towns.len().max(1);
        let name = self
            .function(department)
            .map_or("", |function| function.name);
        let round = department as usize / functions;
        let Some(place) = round.checked_sub(1) else {
            return name.to_owned();
        };
        let town = self.towns.get(place % towns).copied().unwrap_or("");
        match place / towns {
            0 => format!("{name} {town}"),
            again => format!("{name} {town} {}", again + 1),
        }
    }

    /// The department whose manager this one's manager reports to; none for the first.
    pub(super) fn parent(department: u32) -> Option<u32> {
        department.checked_sub(1).map(|before| before / SPAN)
    }

    /// Whether other departments' managers report to this one's.
    pub(super) fn has_children(&self, department: u32) -> bool {
        department * SPAN + 1 < self.departments
    }

    /// The title of a rank; `choice` tells the members' titles apart.
    pub(super) fn title(&self, department: u32, rank: Rank, choice: u32) -> &'static str {
        let function = self.function(department);
        match rank {
            Rank::Chief => CHIEF_TITLE,
            Rank::Lead => LEAD_TITLE,
            Rank::Manager => function.map_or(CHIEF_TITLE, |function| function.manager),
            Rank::Member => function.map_or(LEAD_TITLE, |function| {
                let index = choice as usize % function.members.len().max(1);
                function.members.get(index).copied().unwrap_or(LEAD_TITLE)
            }),
        }
    }

    /// The title after `current` in a department; another one than `current`.
    pub(super) fn next_title(&self, department: u32, current: &str) -> &'static str {
        let members = self
            .function(department)
            .map_or(&[][..], |function| &function.members);
        let next = members
            .iter()
            .position(|title| *title == current)
            .map_or(0, |index| (index + 1) % members.len());
        members.get(next).copied().unwrap_or(LEAD_TITLE)
    }

    fn function(&self, department: u32) -> Option<&Function> {
        self.functions
            .get(department as usize % self.functions.len().max(1))
    }
}

/// The registered name and the mail domain of a firm; a neighbouring `number` gives another.
pub(super) fn firm(number: u32) -> (&'static str, &'static str) {
    let firms: Vec<(&str, &str)> = table(FIRMS)
        .filter_map(|columns| match *columns.as_slice() {
            [name, domain] => Some((name, domain)),
            _ => None,
        })
        .collect();
    firms
        .get(number as usize % firms.len().max(1))
        .copied()
        .unwrap_or(("Muster Rehearsal AS", "rehearsal.example"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn departments_have_different_names_and_titles_that_change() {
        let chart = Chart::new(1_000_000, &Places::load());
        assert_eq!(chart.departments, 1_000);
        let names: HashSet<String> = (0..1_000)
            .map(|department| chart.name(department))
            .collect();
        assert_eq!(names.len(), 1_000);
        for department in 0..20 {
            let titles: HashSet<&str> = (0..3)
                .map(|choice| chart.title(department, Rank::Member, choice))
                .collect();
            assert_eq!(titles.len(), 3);
            for title in titles {
                assert_ne!(chart.next_title(department, title), title);
            }
        }
    }

    #[test]
    fn the_tree_of_departments_has_one_root() {
        let chart = Chart::new(250, &Places::load());
        assert_eq!(chart.departments, 15);
        assert_eq!(Chart::parent(0), None);
        for department in 1..chart.departments {
            let parent = Chart::parent(department).expect("only the first has none");
            assert!(parent < department && chart.has_children(parent));
        }
        assert!(!chart.has_children(14));
    }

    #[test]
    fn neighbouring_firms_differ_and_live_in_reserved_domains() {
        for number in 0..20 {
            assert_ne!(firm(number), firm(number + 1));
            let (name, domain) = firm(number);
            assert!(domain.ends_with(".example") && !name.is_empty());
        }
    }
}
