//! The vendor's resources and their fields, as its document lists them.
//!
//! Everything generic in the simulator (the `fields` grammar, answers, partial
//! updates, sorting) is driven by these tables.

use Kind::{
    Boolean, Changes, Choice, Date, Embedded, Id, Integer, Number, Owned, Reference, References,
    Text, Url, Version,
};

/// One of the vendor's kinds of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    Employee,
    Employment,
    EmploymentDetails,
    Department,
    Division,
    Address,
    Country,
    Municipality,
    OccupationCode,
    InternationalId,
    HolidayAllowance,
    MaritimeEmployment,
    EmployeeCategory,
    Company,
    Client,
    Currency,
    LoggedInUser,
    Entitlement,
    Change,
}

/// One field of a resource.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) access: Access,
    /// Whether an unset value leaves the field out instead of showing null
    /// (seen in recorded departments without a manager).
    pub(super) absent_when_unset: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The row's id.
    Id,
    /// The row's version.
    Version,
    /// The row's changes; shown only when asked for by name.
    Changes,
    /// The row's own address.
    Url,
    /// Text; empty when unset, never null.
    Text,
    /// `YYYY-MM-DD`, or null.
    Date,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// One of the listed words, or null.
    Choice(&'static [&'static str]),
    /// Another row: `{id, url}` unless its fields are asked for.
    Reference(Resource),
    /// Several other rows, each as `Reference`.
    References(Resource),
    /// Another row that is written through this one.
    Owned(Resource),
    /// An object without an identity, always shown in full.
    Embedded(Resource),
    /// Worked out from other fields.
    Derived(Derivation),
}

/// How a field is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Derivation {
    /// First and last name, or the name.
    DisplayName,
    /// The company that the simulator serves.
    CompanyId,
    /// A twelfth of the annual salary.
    MonthlySalary,
    /// The last of the employment's details, as a reference.
    LatestDetails,
}

/// Who may set a field and see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Read and written.
    Open,
    /// Ignored in a body that is written.
    ReadOnly,
    /// Written, and null in every answer (so recorded for `userType`).
    ReadsAsNull,
}

const fn open(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        access: Access::Open,
        absent_when_unset: false,
    }
}

const fn read_only(name: &'static str, kind: Kind) -> Field {
    Field {
        access: Access::ReadOnly,
        ..open(name, kind)
    }
}

const fn absent_when_unset(field: Field) -> Field {
    Field {
        absent_when_unset: true,
        ..field
    }
}

const ID: Field = open("id", Id);
const VERSION: Field = open("version", Version);
const CHANGES: Field = read_only("changes", Changes);
const URL: Field = read_only("url", Url);
const DISPLAY_NAME: Field = read_only("displayName", Kind::Derived(Derivation::DisplayName));

/// `userType`: what sort of access an employee has to the system itself.
pub(super) const USER_TYPES: &[&str] = &["STANDARD", "EXTENDED", "NO_ACCESS"];
pub(super) const EMPLOYMENT_TYPES: &[&str] = &["ORDINARY", "MARITIME", "FREELANCE", "NOT_CHOSEN"];
pub(super) const EMPLOYMENT_FORMS: &[&str] = &[
    "PERMANENT",
    "TEMPORARY",
    "PERMANENT_AND_HIRED_OUT",
    "TEMPORARY_AND_HIRED_OUT",
    "TEMPORARY_ON_CALL",
    "NOT_CHOSEN",
];
pub(super) const END_REASONS: &[&str] = &[
    "EMPLOYMENT_END_EXPIRED",
    "EMPLOYMENT_END_EMPLOYEE",
    "EMPLOYMENT_END_EMPLOYER",
    "EMPLOYMENT_END_WRONGLY_REPORTED",
    "EMPLOYMENT_END_SYSTEM_OR_ACCOUNTANT_CHANGE",
    "EMPLOYMENT_END_INTERNAL_CHANGE",
];
pub(super) const TAX_DEDUCTION_CODES: &[&str] = &[
    "loennFraHovedarbeidsgiver",
    "loennFraBiarbeidsgiver",
    "pensjon",
    "loennTilUtenrikstjenestemann",
    "loennKunTrygdeavgiftTilUtenlandskBorger",
    "loennKunTrygdeavgiftTilUtenlandskBorgerSomGrensegjenger",
    "introduksjonsstoenad",
    "ufoereytelserFraAndre",
    "",
];
pub(super) const INTERNATIONAL_ID_TYPES: &[&str] = &[
    "PASSPORT_NO",
    "NATIONAL_INSURANCE_NO",
    "TAX_IDENTIFICATION_NO",
    "VALUE_ADDED_TAX_IDENTIFICATION_NO",
];
pub(super) const REMUNERATION_TYPES: &[&str] = &[
    "MONTHLY_WAGE",
    "HOURLY_WAGE",
    // The vendor's own spelling.
    "COMMISION_PERCENTAGE",
    "FEE",
    "NOT_CHOSEN",
    "PIECEWORK_WAGE",
];
pub(super) const WORKING_HOURS_SCHEMES: &[&str] = &[
    "NOT_SHIFT",
    "ROUND_THE_CLOCK",
    "SHIFT_365",
    "OFFSHORE_336",
    "CONTINUOUS",
    "OTHER_SHIFT",
    "NOT_CHOSEN",
];
pub(super) const COMPANY_TYPES: &[&str] = &[
    "NONE", "ENK", "AS", "NUF", "ANS", "DA", "PRE", "KS", "ASA", "BBL", "BRL", "GFS", "SPA", "SF",
    "IKS", "KF_FKF", "FCD", "EOFG", "BA", "STI", "ORG", "ESEK", "SA", "SAM", "BO", "VPFO", "OS",
    "FLI", "Other",
];
const CHANGE_TYPES: &[&str] = &[
    "CREATE",
    "UPDATE",
    "DELETE",
    "LOCKED",
    "REOPENED",
    "DO_NOT_SHOW",
];

static EMPLOYEE: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("firstName", Text),
    open("lastName", Text),
    DISPLAY_NAME,
    open("employeeNumber", Text),
    open("dateOfBirth", Date),
    open("email", Text),
    open("phoneNumberMobileCountry", Reference(Resource::Country)),
    open("phoneNumberMobile", Text),
    open("phoneNumberHome", Text),
    open("phoneNumberWork", Text),
    open("nationalIdentityNumber", Text),
    open("dnumber", Text),
    open("internationalId", Embedded(Resource::InternationalId)),
    open("bankAccountNumber", Text),
    open("iban", Text),
    open("bic", Text),
    open("creditorBankCountryId", Integer),
    open("usesAbroadPayment", Boolean),
    Field {
        access: Access::ReadsAsNull,
        ..open("userType", Choice(USER_TYPES))
    },
    read_only("allowInformationRegistration", Boolean),
    open("isContact", Boolean),
    read_only("isProxy", Boolean),
    open("comments", Text),
    open("address", Owned(Resource::Address)),
    open("department", Reference(Resource::Department)),
    open("employments", References(Resource::Employment)),
    open(
        "holidayAllowanceEarned",
        Embedded(Resource::HolidayAllowance),
    ),
    open("employeeCategory", Reference(Resource::EmployeeCategory)),
    read_only("isAuthProjectOverviewURL", Boolean),
    read_only("pictureId", Integer),
    read_only("companyId", Kind::Derived(Derivation::CompanyId)),
    read_only("vismaConnect2FAactive", Boolean),
];

static EMPLOYMENT: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("employee", Reference(Resource::Employee)),
    open("employmentId", Text),
    open("startDate", Date),
    open("endDate", Date),
    open("employmentEndReason", Choice(END_REASONS)),
    open("division", Reference(Resource::Division)),
    open("lastSalaryChangeDate", Date),
    open("noEmploymentRelationship", Boolean),
    open("isMainEmployer", Boolean),
    open("taxDeductionCode", Choice(TAX_DEDUCTION_CODES)),
    open("employmentDetails", References(Resource::EmploymentDetails)),
    open("isRemoveAccessAtEmploymentEnded", Boolean),
    read_only("latestSalary", Kind::Derived(Derivation::LatestDetails)),
];

static EMPLOYMENT_DETAILS: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("employment", Reference(Resource::Employment)),
    open("date", Date),
    open("employmentType", Choice(EMPLOYMENT_TYPES)),
    open("employmentForm", Choice(EMPLOYMENT_FORMS)),
    open("maritimeEmployment", Embedded(Resource::MaritimeEmployment)),
    open("remunerationType", Choice(REMUNERATION_TYPES)),
    open("workingHoursScheme", Choice(WORKING_HOURS_SCHEMES)),
    open("shiftDurationHours", Number),
    open("occupationCode", Reference(Resource::OccupationCode)),
    open("percentageOfFullTimeEquivalent", Number),
    open("annualSalary", Number),
    open("hourlyWage", Number),
    open(
        "payrollTaxMunicipalityId",
        Reference(Resource::Municipality),
    ),
    read_only("monthlySalary", Kind::Derived(Derivation::MonthlySalary)),
];

static DEPARTMENT: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("name", Text),
    open("departmentNumber", Text),
    absent_when_unset(open("departmentManager", Reference(Resource::Employee))),
    DISPLAY_NAME,
    open("isInactive", Boolean),
    absent_when_unset(read_only("businessActivityTypeId", Integer)),
];

static DIVISION: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    DISPLAY_NAME,
    open("name", Text),
    open("startDate", Date),
    open("endDate", Date),
    open("organizationNumber", Text),
    open("municipalityDate", Date),
    open("municipality", Reference(Resource::Municipality)),
];

static ADDRESS: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("addressLine1", Text),
    open("addressLine2", Text),
    open("postalCode", Text),
    open("city", Text),
    open("country", Reference(Resource::Country)),
    DISPLAY_NAME,
    read_only("addressAsString", Kind::Derived(Derivation::DisplayName)),
    read_only(
        "displayNameInklMatrikkel",
        Kind::Derived(Derivation::DisplayName),
    ),
    open("knr", Integer),
    open("gnr", Integer),
    open("bnr", Integer),
    open("fnr", Integer),
    open("snr", Integer),
    open("unitNumber", Text),
];

static COUNTRY: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    read_only("name", Text),
    DISPLAY_NAME,
    read_only("isoAlpha2Code", Text),
    read_only("isoAlpha3Code", Text),
    read_only("isoNumericCode", Text),
];

static MUNICIPALITY: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    read_only("number", Text),
    read_only("name", Text),
    read_only("county", Text),
    read_only("payrollTaxZone", Text),
    DISPLAY_NAME,
];

static OCCUPATION_CODE: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("nameNO", Text),
    open("code", Text),
];

static INTERNATIONAL_ID: &[Field] = &[
    open("intAmeldingType", Choice(INTERNATIONAL_ID_TYPES)),
    open("country", Reference(Resource::Country)),
    open("number", Text),
];

static HOLIDAY_ALLOWANCE: &[Field] = &[
    open("year", Integer),
    open("amount", Number),
    open("basis", Number),
    open("amountExtraHolidayWeek", Number),
];

static MARITIME_EMPLOYMENT: &[Field] = &[
    open("fartoeyId", Text),
    open("paamoenstringsdato", Date),
    open("avmoenstringsdato", Date),
    open("antallTimerPerYrkeskodePerMoenstring", Integer),
    open("shipRegister", Choice(&["NIS", "NOR", "FOREIGN"])),
    open(
        "shipType",
        Choice(&["OTHER", "DRILLING_PLATFORM", "TOURIST"]),
    ),
    open("tradeArea", Choice(&["DOMESTIC", "FOREIGN"])),
];

static EMPLOYEE_CATEGORY: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    DISPLAY_NAME,
    open("name", Text),
    open("number", Text),
    open("description", Text),
];

static COMPANY: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("name", Text),
    DISPLAY_NAME,
    open("startDate", Date),
    open("endDate", Date),
    open("organizationNumber", Text),
    open("email", Text),
    open("phoneNumber", Text),
    open("phoneNumberMobile", Text),
    open("faxNumber", Text),
    open("address", Owned(Resource::Address)),
    open("type", Choice(COMPANY_TYPES)),
    open("currency", Reference(Resource::Currency)),
    read_only("accountantOrSimilar", Boolean),
    read_only("companyMigration", Choice(&["NONE", "AGRO"])),
    read_only("invoiceShowDeliveryDate", Boolean),
];

static CLIENT: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("name", Text),
    DISPLAY_NAME,
    open("startDate", Date),
    open("endDate", Date),
    open("organizationNumber", Text),
    open("email", Text),
    open("phoneNumber", Text),
    open("phoneNumberMobile", Text),
    open("faxNumber", Text),
    open("address", Owned(Resource::Address)),
    open("type", Choice(COMPANY_TYPES)),
    open("currency", Reference(Resource::Currency)),
    read_only("accountantOrSimilar", Boolean),
    read_only("companyMigration", Choice(&["NONE", "AGRO"])),
    read_only("invoiceShowDeliveryDate", Boolean),
    read_only("customerCompanyId", Kind::Derived(Derivation::CompanyId)),
];

static CURRENCY: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("code", Text),
    open("description", Text),
    open("factor", Integer),
    open("displayName", Text),
    open("isDisabled", Boolean),
];

static LOGGED_IN_USER: &[Field] = &[
    read_only("employeeId", Integer),
    read_only("actualEmployeeId", Integer),
    open("employee", Reference(Resource::Employee)),
    read_only("companyId", Kind::Derived(Derivation::CompanyId)),
    open("company", Reference(Resource::Company)),
    read_only("language", Text),
    read_only("loggedInWithConnect", Boolean),
    read_only("employeeIsProxy", Boolean),
];

static ENTITLEMENT: &[Field] = &[
    ID,
    VERSION,
    CHANGES,
    URL,
    open("employee", Reference(Resource::Employee)),
    read_only("name", Text),
    open("entitlementId", Integer),
    open("customer", Reference(Resource::Company)),
];

static CHANGE: &[Field] = &[
    read_only("employeeId", Integer),
    read_only("timestamp", Text),
    read_only("changeType", Choice(CHANGE_TYPES)),
];

impl Resource {
    /// The fields, in the order in which answers show them.
    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Resource::Employee => EMPLOYEE,
            Resource::Employment => EMPLOYMENT,
            Resource::EmploymentDetails => EMPLOYMENT_DETAILS,
            Resource::Department => DEPARTMENT,
            Resource::Division => DIVISION,
            Resource::Address => ADDRESS,
            Resource::Country => COUNTRY,
            Resource::Municipality => MUNICIPALITY,
            Resource::OccupationCode => OCCUPATION_CODE,
            Resource::InternationalId => INTERNATIONAL_ID,
            Resource::HolidayAllowance => HOLIDAY_ALLOWANCE,
            Resource::MaritimeEmployment => MARITIME_EMPLOYMENT,
            Resource::EmployeeCategory => EMPLOYEE_CATEGORY,
            Resource::Company => COMPANY,
            Resource::Client => CLIENT,
            Resource::Currency => CURRENCY,
            Resource::LoggedInUser => LOGGED_IN_USER,
            Resource::Entitlement => ENTITLEMENT,
            Resource::Change => CHANGE,
        }
    }

    /// Where a field stands, and the field; none when there is no such field.
    pub(super) fn field(self, name: &str) -> Option<(usize, &'static Field)> {
        self.fields()
            .iter()
            .enumerate()
            .find(|(_, field)| field.name == name)
    }

    /// The path under which one row is found, behind `/v2`.
    pub(super) fn path(self) -> &'static str {
        match self {
            Resource::Employee => "employee",
            Resource::Employment => "employee/employment",
            Resource::EmploymentDetails => "employee/employment/details",
            Resource::Department => "department",
            Resource::Division => "division",
            Resource::Address => "address",
            Resource::Country => "country",
            Resource::Municipality => "municipality",
            Resource::OccupationCode => "employee/employment/occupationCode",
            Resource::EmployeeCategory => "employee/category",
            Resource::Company | Resource::Client => "company",
            Resource::Currency => "currency",
            Resource::Entitlement => "employee/entitlement",
            // Objects without an identity have no address of their own.
            Resource::InternationalId
            | Resource::HolidayAllowance
            | Resource::MaritimeEmployment
            | Resource::LoggedInUser
            | Resource::Change => "",
        }
    }
}

impl Kind {
    /// The resource behind a reference or an object; none for a plain value.
    pub(super) fn target(self) -> Option<Resource> {
        match self {
            Reference(target) | References(target) | Owned(target) | Embedded(target) => {
                Some(target)
            }
            Changes => Some(Resource::Change),
            Kind::Derived(Derivation::LatestDetails) => Some(Resource::EmploymentDetails),
            Id
            | Version
            | Url
            | Text
            | Date
            | Integer
            | Number
            | Boolean
            | Choice(_)
            | Kind::Derived(_) => None,
        }
    }

    /// Whether the vendor shows an unset value as empty text.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Text | Kind::Derived(Derivation::DisplayName))
    }
}
