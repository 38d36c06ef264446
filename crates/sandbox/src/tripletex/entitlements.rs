//! Access rights: what a token's owner may see, and templates that grant rights.

use super::books::Books;
use super::resource::Resource;
use super::row::{Cell, Row};

/// Id and name of the rights that the simulator knows. The vendor says that
/// names may change; ids are the stable part.
const RIGHTS: &[(i64, &str)] = &[
    (1, "ROLE_ADMINISTRATOR"),
    (45, "AUTH_COMPANY_ADMIN"),
    (6, "AUTH_EMPLOYEE_INFO"),
    (92, "AUTH_COMPANY_EMPLOYEE_ADMIN"),
    (22, "AUTH_COMPANY_WAGE_ADMIN"),
    (33, "AUTH_WAGE_MENU"),
    (10, "AUTH_DEPARTMENT_REPORT"),
    (40, "AUTH_INVOICING"),
    (50, "AUTH_ALL_VOUCHERS"),
    (55, "AUTH_READ_ONLY"),
];

/// The rights that remain of the owner's when the token has lost the others:
/// neither all employees nor payroll are among them.
pub(super) const LEFT_AFTER_LOSS: &[i64] = &[6, 10];

/// A template's name and the rights it grants.
const TEMPLATES: &[(&str, &[i64])] = &[
    ("NONE_PRIVILEGES", &[]),
    ("ALL_PRIVILEGES", &[1, 45, 6, 92, 22, 33, 10, 40, 50]),
    ("INVOICING_MANAGER", &[40]),
    ("PERSONELL_MANAGER", &[6, 92, 22, 33]),
    ("ACCOUNTANT", &[22, 33, 40, 50]),
    ("AUDITOR", &[55]),
    ("DEPARTMENT_LEADER", &[6, 10]),
];

/// The rows of the token's owner, who has every right.
pub(super) fn of_owner(owner: u64, account: u64) -> Vec<Row> {
    (1..)
        .zip(RIGHTS)
        .filter(|(_, (_, name))| *name != "AUTH_READ_ONLY")
        .map(|(id, (right, name))| row(id, owner, account, *right, name))
        .collect()
}

fn row(id: u64, employee: u64, account: u64, right: i64, name: &str) -> Row {
    Row::new(Resource::Entitlement, id, 0)
        .with("employee", Cell::Reference(employee))
        .with("customer", Cell::Reference(account))
        .with("entitlementId", Cell::Integer(right))
        .with("name", Cell::text(name))
}

/// Gives an employee the rights of a template in place of all they had; false
/// when there is no such template.
pub(super) fn grant(books: &mut Books, employee: u64, template: &str) -> bool {
    let Some((_, granted)) = TEMPLATES.iter().find(|(name, _)| *name == template) else {
        return false;
    };
    let account = books.account_id;
    let table = books.table_mut(Resource::Entitlement);
    let before: Vec<u64> = table
        .rows()
        .iter()
        .filter(|row| row.reference("employee") == Some(employee))
        .map(|row| row.id)
        .collect();
    for (right, name) in RIGHTS {
        if granted.contains(right) {
            let id = table.next_id();
            table.push(row(id, employee, account, *right, name));
        }
    }
    for id in before {
        table.remove(id);
    }
    true
}
