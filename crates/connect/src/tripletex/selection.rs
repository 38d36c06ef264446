//! The `fields` parameter: exactly what a scope needs, and nothing else.
//!
//! Without a sub-selection a reference comes back as id and address alone, and
//! `*` expands none; so everything is named.

use muster_model::Field;

use crate::connector::FieldScope;

/// Fields that only the employments can tell.
const OF_EMPLOYMENTS: [Field; 8] = [
    Field::JobTitle,
    Field::Location,
    Field::EmploymentStatus,
    Field::EmploymentType,
    Field::EmploymentPercentage,
    Field::StartDate,
    Field::EndDate,
    Field::Engagements,
];

/// Does the scope need employments?
pub(super) fn needs_employments(scope: &FieldScope) -> bool {
    scope.has_any(&OF_EMPLOYMENTS)
}

/// Does the scope need to know who manages which department?
pub(super) fn needs_managers(scope: &FieldScope) -> bool {
    scope.has(Field::ManagerExternalId)
}

/// The selection of an employee.
pub(super) fn of_employee(scope: &FieldScope) -> String {
    // Contacts and proxies are told apart by their flags, never stored.
    let mut parts = vec!["id", "version", "isContact", "isProxy"];
    for (field, properties) in [
        (Field::EmployeeNumber, "employeeNumber"),
        (Field::GivenName, "firstName"),
        (Field::FamilyName, "lastName"),
        (Field::DisplayName, "displayName"),
        (Field::WorkEmail, "email"),
        (
            Field::Phone,
            "phoneNumberMobile,phoneNumberMobileCountry(isoAlpha2Code),phoneNumberWork,phoneNumberHome",
        ),
        (Field::DateOfBirth, "dateOfBirth"),
        (
            Field::NationalId,
            "nationalIdentityNumber,dnumber,\
             internationalId(intAmeldingType,number,country(isoAlpha2Code))",
        ),
        (Field::BankAccount, "bankAccountNumber,iban"),
        (
            Field::Address,
            "address(addressLine1,addressLine2,postalCode,city,country(isoAlpha2Code))",
        ),
    ] {
        if scope.has(field) {
            parts.push(properties);
        }
    }
    if scope.has(Field::Department) {
        parts.push("department(id,name)");
    } else if needs_managers(scope) {
        parts.push("department(id)");
    }
    let employments = of_employments(scope);
    if needs_employments(scope) {
        parts.push(&employments);
    }
    parts.join(",")
}

/// The selection of employments with their details by date.
fn of_employments(scope: &FieldScope) -> String {
    let mut details = vec!["id", "date", "employmentType"];
    for (field, properties) in [
        (Field::EmploymentType, "employmentForm"),
        (
            Field::EmploymentPercentage,
            "percentageOfFullTimeEquivalent",
        ),
        (Field::JobTitle, "occupationCode(id,nameNO)"),
    ] {
        if scope.has(field) {
            details.push(properties);
        }
    }
    let division = match scope.has(Field::Location) {
        true => ",division(id,name)",
        false => "",
    };
    format!(
        "employments(id,startDate,endDate,employmentEndReason,noEmploymentRelationship{division},\
         employmentDetails({}))",
        details.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_scope_asks_for_nothing_else() {
        let scope = FieldScope::only([Field::WorkEmail, Field::Department]);
        assert_eq!(
            of_employee(&scope),
            "id,version,isContact,isProxy,email,department(id,name)"
        );
    }

    #[test]
    fn the_days_of_an_employment_come_with_any_field_of_it() {
        let scope = FieldScope::only([Field::EndDate]);
        assert_eq!(
            of_employee(&scope),
            "id,version,isContact,isProxy,employments(id,startDate,endDate,employmentEndReason,\
             noEmploymentRelationship,employmentDetails(id,date,employmentType))"
        );
    }

    #[test]
    fn no_selection_names_pay() {
        let selection = of_employee(&FieldScope::all()).to_lowercase();
        for word in ["salary", "wage", "comments", "holiday"] {
            assert!(!selection.contains(word), "{word} in {selection}");
        }
    }
}
