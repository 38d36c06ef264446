//! The canonical fields (`surfaces.md`, Canonical person).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One canonical field. The order is the order in which people read them, and
/// the order in which plans list and hash them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are the documentation
pub enum Field {
    EmployeeNumber,
    GivenName,
    FamilyName,
    DisplayName,
    WorkEmail,
    PersonalEmail,
    Phone,
    DateOfBirth,
    NationalId,
    BankAccount,
    JobTitle,
    Department,
    Team,
    Location,
    Country,
    TimeZone,
    Address,
    CostCentre,
    ManagerExternalId,
    ManagerEmail,
    EmploymentStatus,
    EmploymentType,
    EmploymentPercentage,
    StartDate,
    EndDate,
    Language,
    Custom,
    Engagements,
}

/// The shape of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Free text, or a code.
    Text,
    /// Text that is never printed.
    Sealed,
    /// A civil date.
    Date,
    /// Percent of full time.
    Percentage,
    /// A postal address.
    Address,
    /// Names and texts.
    Map,
    /// A list of engagements.
    Engagements,
}

impl Field {
    /// Every field, in order.
    pub const ALL: [Self; 28] = [
        Self::EmployeeNumber,
        Self::GivenName,
        Self::FamilyName,
        Self::DisplayName,
        Self::WorkEmail,
        Self::PersonalEmail,
        Self::Phone,
        Self::DateOfBirth,
        Self::NationalId,
        Self::BankAccount,
        Self::JobTitle,
        Self::Department,
        Self::Team,
        Self::Location,
        Self::Country,
        Self::TimeZone,
        Self::Address,
        Self::CostCentre,
        Self::ManagerExternalId,
        Self::ManagerEmail,
        Self::EmploymentStatus,
        Self::EmploymentType,
        Self::EmploymentPercentage,
        Self::StartDate,
        Self::EndDate,
        Self::Language,
        Self::Custom,
        Self::Engagements,
    ];

    /// The canonical name, as in JSON and CSV.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmployeeNumber => "employee_number",
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::DisplayName => "display_name",
            Self::WorkEmail => "work_email",
            Self::PersonalEmail => "personal_email",
            Self::Phone => "phone",
            Self::DateOfBirth => "date_of_birth",
            Self::NationalId => "national_id",
            Self::BankAccount => "bank_account",
            Self::JobTitle => "job_title",
            Self::Department => "department",
            Self::Team => "team",
            Self::Location => "location",
            Self::Country => "country",
            Self::TimeZone => "time_zone",
            Self::Address => "address",
            Self::CostCentre => "cost_centre",
            Self::ManagerExternalId => "manager_external_id",
            Self::ManagerEmail => "manager_email",
            Self::EmploymentStatus => "employment_status",
            Self::EmploymentType => "employment_type",
            Self::EmploymentPercentage => "employment_percentage",
            Self::StartDate => "start_date",
            Self::EndDate => "end_date",
            Self::Language => "language",
            Self::Custom => "custom",
            Self::Engagements => "engagements",
        }
    }

    /// The shape of its values.
    #[must_use]
    pub const fn shape(self) -> Shape {
        match self {
            Self::NationalId | Self::BankAccount => Shape::Sealed,
            Self::DateOfBirth | Self::StartDate | Self::EndDate => Shape::Date,
            Self::EmploymentPercentage => Shape::Percentage,
            Self::Address => Shape::Address,
            Self::Custom => Shape::Map,
            Self::Engagements => Shape::Engagements,
            _ => Shape::Text,
        }
    }

    /// Is it stored sealed and never printed (`engine.md`, Sealing)?
    #[must_use]
    pub const fn is_sealed(self) -> bool {
        matches!(self.shape(), Shape::Sealed)
    }

    /// Does it name the manager?
    #[must_use]
    pub const fn is_manager(self) -> bool {
        matches!(self, Self::ManagerExternalId | Self::ManagerEmail)
    }

    /// Does a change of it say when or whether somebody is employed? Such
    /// fields are held together with the leaving that they cause.
    #[must_use]
    pub const fn tells_employment(self) -> bool {
        matches!(
            self,
            Self::EmploymentStatus | Self::EndDate | Self::Engagements
        )
    }

    /// Is it a flat field of the primary engagement?
    #[must_use]
    pub const fn is_of_engagement(self) -> bool {
        matches!(
            self,
            Self::JobTitle
                | Self::Department
                | Self::Location
                | Self::CostCentre
                | Self::ManagerExternalId
                | Self::ManagerEmail
                | Self::EmploymentStatus
                | Self::EmploymentType
                | Self::EmploymentPercentage
                | Self::StartDate
                | Self::EndDate
        )
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Field {
    /// The canonical names in one line, for whoever wrote another.
    fn all_names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// A name that is no canonical field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field.unknown: there is no field {0:?}; there are {all}", all = Field::all_names())]
pub struct UnknownField(pub String);

impl FromStr for Field {
    type Err = UnknownField;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|field| field.name() == name)
            .ok_or_else(|| UnknownField(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_the_order_is_the_declared_one() {
        for field in Field::ALL {
            assert_eq!(field.name().parse(), Ok(field));
            assert_eq!(serde_json::to_value(field).unwrap(), field.name());
        }
        assert!(Field::ALL.is_sorted());
    }
}
