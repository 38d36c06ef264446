//! The entities that are served: their properties, and where they lead.
//!
//! Those of Employment Information stand as in SAP's specification; those of
//! people and foundation objects as in answers that SAP's customers have
//! published, and in SAP's reference guide.

/// How a property is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A day: midnight without an offset.
    Day,
    /// A moment with an offset.
    Stamp,
    /// A number, written as text.
    Number,
    /// A whole number, written as text.
    Long,
    /// A whole number, written as one.
    Count,
    Flag,
}

/// A way to other entities.
#[derive(Debug)]
pub(super) struct Navigation {
    pub(super) name: &'static str,
    pub(super) target: &'static str,
    pub(super) is_many: bool,
}

/// A kind of rows.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) name: &'static str,
    pub(super) keys: &'static [&'static str],
    texts: &'static [&'static str],
    days: &'static [&'static str],
    stamps: &'static [&'static str],
    numbers: &'static [&'static str],
    longs: &'static [&'static str],
    counts: &'static [&'static str],
    flags: &'static [&'static str],
    pub(super) navigations: &'static [Navigation],
}

const fn one(name: &'static str, target: &'static str) -> Navigation {
    Navigation {
        name,
        target,
        is_many: false,
    }
}

const fn many(name: &'static str, target: &'static str) -> Navigation {
    Navigation {
        name,
        target,
        is_many: true,
    }
}

const STAMPS: &[&str] = &["createdDateTime", "lastModifiedDateTime"];
/// A foundation object: all of them have the same form here.
const fn foundation(name: &'static str) -> Entity {
    Entity {
        name,
        keys: &["externalCode", "startDate"],
        texts: &[
            "externalCode",
            "name",
            "name_localized",
            "name_defaultValue",
            "description",
            "status",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &["startDate", "endDate", "createdOn", "lastModifiedOn"],
        stamps: STAMPS,
        numbers: &[],
        longs: &[],
        counts: &[],
        flags: &[],
        navigations: &[],
    }
}

/// Everything that is served.
pub(super) const ENTITIES: &[Entity] = &[
    Entity {
        name: "PerPerson",
        keys: &["personIdExternal"],
        texts: &[
            "personIdExternal",
            "placeOfBirth",
            "countryOfBirth",
            "regionOfBirth",
            "perPersonUuid",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &["dateOfBirth", "dateOfDeath", "createdOn", "lastModifiedOn"],
        stamps: STAMPS,
        numbers: &[],
        longs: &["personId"],
        counts: &[],
        flags: &[],
        navigations: &[
            many("personalInfoNav", "PerPersonal"),
            many("emailNav", "PerEmail"),
            many("phoneNav", "PerPhone"),
            many("nationalIdNav", "PerNationalId"),
            many("employmentNav", "EmpEmployment"),
            one("personEmpTerminationInfoNav", "PersonEmpTerminationInfo"),
        ],
    },
    Entity {
        name: "PerPersonal",
        keys: &["personIdExternal", "startDate"],
        texts: &[
            "personIdExternal",
            "firstName",
            "lastName",
            "middleName",
            "displayName",
            "formalName",
            "preferredName",
            "salutation",
            "suffix",
            "nationality",
            "maritalStatus",
            "gender",
            "nativePreferredLang",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &["startDate", "endDate", "createdOn", "lastModifiedOn"],
        stamps: STAMPS,
        numbers: &[],
        longs: &[],
        counts: &[],
        flags: &[],
        navigations: &[one("personNav", "PerPerson")],
    },
    Entity {
        name: "PerEmail",
        keys: &["emailType", "personIdExternal"],
        texts: &[
            "emailType",
            "personIdExternal",
            "emailAddress",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &["createdOn", "lastModifiedOn"],
        stamps: STAMPS,
        numbers: &[],
        longs: &[],
        counts: &[],
        flags: &["isPrimary"],
        navigations: &[
            one("emailTypeNav", "PicklistOption"),
            one("personNav", "PerPerson"),
        ],
    },
    Entity {
        name: "PerPhone",
        keys: &["personIdExternal", "phoneType"],
        texts: &[
            "personIdExternal",
            "phoneType",
            "countryCode",
            "areaCode",
            "phoneNumber",
            "extension",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &["createdOn", "lastModifiedOn"],
        stamps: STAMPS,
        numbers: &[],
        longs: &[],
        counts: &[],
        flags: &["isPrimary"],
        navigations: &[
            one("phoneTypeNav", "PicklistOption"),
            one("personNav", "PerPerson"),
        ],
    },
    Entity {
        name: "PerNationalId",
        keys: &["cardType", "country", "personIdExternal"],
        texts: &[
            "cardType",
            "country",
            "personIdExternal",
            "nationalId",
            "notes",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &["createdOn", "lastModifiedOn"],
        stamps: STAMPS,
        numbers: &[],
        longs: &[],
        counts: &[],
        flags: &["isPrimary"],
        navigations: &[one("personNav", "PerPerson")],
    },
    Entity {
        name: "PersonEmpTerminationInfo",
        keys: &["personIdExternal"],
        texts: &["personIdExternal"],
        days: &["latestTerminationDate"],
        stamps: &[],
        numbers: &[],
        longs: &[],
        counts: &["activeEmploymentsCount"],
        flags: &[],
        navigations: &[],
    },
    Entity {
        name: "EmpEmployment",
        keys: &["personIdExternal", "userId"],
        texts: &[
            "personIdExternal",
            "userId",
            "assignmentClass",
            "prevEmployeeId",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &[
            "startDate",
            "endDate",
            "originalStartDate",
            "seniorityDate",
            "firstDateWorked",
            "lastDateWorked",
            "StockEndDate",
            "benefitsEligibilityStartDate",
            "benefitsEndDate",
            "bonusPayExpirationDate",
            "payrollEndDate",
            "professionalServiceDate",
            "salaryEndDate",
            "serviceDate",
            "createdOn",
            "lastModifiedOn",
        ],
        stamps: STAMPS,
        numbers: &["initialOptionGrant", "initialStockGrant"],
        longs: &["jobNumber"],
        counts: &[],
        flags: &[
            "isContingentWorker",
            "isECRecord",
            "eligibleForSalContinuation",
            "eligibleForStock",
            "employeeFirstEmployment",
            "includeAllRecords",
            "okToRehire",
            "regretTermination",
        ],
        navigations: &[
            many("jobInfoNav", "EmpJob"),
            one("personNav", "PerPerson"),
            one("userNav", "User"),
        ],
    },
    Entity {
        name: "EmpEmploymentTermination",
        keys: &["endDate", "personIdExternal", "userId"],
        texts: &[
            "personIdExternal",
            "userId",
            "attachmentId",
            "eventReason",
            "notes",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &[
            "endDate",
            "lastDateWorked",
            "StockEndDate",
            "benefitsEndDate",
            "bonusPayExpirationDate",
            "payrollEndDate",
            "salaryEndDate",
            "createdOn",
            "lastModifiedOn",
        ],
        stamps: STAMPS,
        numbers: &["newMainEmploymentId"],
        longs: &[],
        counts: &[],
        flags: &[
            "okToRehire",
            "regretTermination",
            "eligibleForSalContinuation",
        ],
        navigations: &[
            one("employmentNav", "EmpEmployment"),
            one("jobInfoNav", "EmpJob"),
        ],
    },
    Entity {
        name: "EmpJob",
        keys: &["seqNumber", "startDate", "userId"],
        texts: &[
            "userId",
            "businessUnit",
            "commitmentIndicator",
            "company",
            "contractReferenceForAed",
            "contractType",
            "costCenter",
            "countryOfCompany",
            "defaultOvertimeCompensationVariant",
            "department",
            "division",
            "eeo1JobCategory",
            "eeo4JobCategory",
            "eeo5JobCategory",
            "eeo6JobCategory",
            "eeoClass",
            "electoralCollegeForWorkersRepresentatives",
            "electoralCollegeForWorksCouncil",
            "empRelationship",
            "emplStatus",
            "employeeClass",
            "employeeWorkgroupMembership",
            "employmentType",
            "event",
            "eventReason",
            "familyRelationshipWithEmployer",
            "flsaStatus",
            "harmfulAgentExposure",
            "holidayCalendarCode",
            "jobCode",
            "jobTitle",
            "location",
            "managerId",
            "mandatoryWorkBreakRecord",
            "municipalInseeCode",
            "notes",
            "operation",
            "payGrade",
            "payScaleArea",
            "payScaleGroup",
            "payScaleLevel",
            "payScaleType",
            "position",
            "regularTemp",
            "sickPaySupplement",
            "timeRecordingAdmissibilityCode",
            "timeRecordingProfileCode",
            "timeRecordingVariant",
            "timeTypeProfileCode",
            "timezone",
            "tupeOrgNumber",
            "workLocation",
            "workerCategory",
            "workscheduleCode",
            "createdBy",
            "lastModifiedBy",
        ],
        days: &[
            "startDate",
            "endDate",
            "expectedReturnDate",
            "fgtsDate",
            "positionEntryDate",
            "probationPeriodEndDate",
            "createdOn",
            "lastModifiedOn",
        ],
        stamps: STAMPS,
        numbers: &[
            "fte",
            "standardHours",
            "workingDaysPerWeek",
            "fgtsPercent",
            "travelDistance",
        ],
        longs: &[
            "seqNumber",
            "assedicCertInitialStateNum",
            "assedicCertObjectNum",
            "wtdHoursLimit",
        ],
        counts: &[],
        flags: &[
            "isFulltimeEmployee",
            "calcMethodIndicator",
            "exclExecutiveSector",
            "fgtsOptant",
            "hazard",
            "healthRisk",
            "isCompetitionClauseActive",
            "isSideLineJobAllowed",
            "laborProtection",
            "pcfm",
            "pensionProtection",
            "permitIndicator",
            "residentVote",
            "retired",
            "teachersPension",
            "workingTimeDirective",
        ],
        navigations: &[
            one("employmentNav", "EmpEmployment"),
            one("managerEmploymentNav", "EmpEmployment"),
            one("managerUserNav", "User"),
            one("userNav", "User"),
            one("companyNav", "FOCompany"),
            one("departmentNav", "FODepartment"),
            one("divisionNav", "FODivision"),
            one("businessUnitNav", "FOBusinessUnit"),
            one("costCenterNav", "FOCostCenter"),
            one("locationNav", "FOLocation"),
            one("emplStatusNav", "PicklistOption"),
            one("employmentTypeNav", "PicklistOption"),
        ],
    },
    Entity {
        name: "User",
        keys: &["userId"],
        texts: &[
            "userId",
            "username",
            "status",
            "empId",
            "firstName",
            "lastName",
            "email",
            "title",
            "department",
            "division",
            "location",
            "country",
            "businessPhone",
            "cellPhone",
            "defaultLocale",
            "timeZone",
        ],
        days: &["hireDate", "companyExitDate", "dateOfBirth"],
        stamps: &["lastModifiedDateTime"],
        numbers: &[],
        longs: &[],
        counts: &[],
        flags: &[],
        navigations: &[one("manager", "User"), one("empInfo", "EmpEmployment")],
    },
    foundation("FOCompany"),
    foundation("FODepartment"),
    foundation("FODivision"),
    foundation("FOBusinessUnit"),
    foundation("FOCostCenter"),
    foundation("FOLocation"),
    Entity {
        name: "PicklistOption",
        keys: &["id"],
        texts: &["status", "externalCode", "localeLabel"],
        days: &[],
        stamps: &[],
        numbers: &[],
        longs: &["id"],
        counts: &[],
        flags: &[],
        navigations: &[many("picklistLabels", "PicklistLabel")],
    },
    Entity {
        name: "PicklistLabel",
        keys: &["locale", "optionId"],
        texts: &["locale", "label"],
        days: &[],
        stamps: &[],
        numbers: &[],
        longs: &["optionId"],
        counts: &[],
        flags: &[],
        navigations: &[],
    },
];

impl Entity {
    /// The entity of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ENTITIES.iter().find(|entity| entity.name == name)
    }

    /// Its properties with their kinds.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        let of = |names: &'static [&'static str], kind: Kind| {
            names.iter().map(move |name| (*name, kind))
        };
        of(self.texts, Kind::Text)
            .chain(of(self.longs, Kind::Long))
            .chain(of(self.days, Kind::Day))
            .chain(of(self.stamps, Kind::Stamp))
            .chain(of(self.numbers, Kind::Number))
            .chain(of(self.counts, Kind::Count))
            .chain(of(self.flags, Kind::Flag))
    }

    /// The kind of a property; none when there is none of this name.
    pub(super) fn kind(&self, name: &str) -> Option<Kind> {
        self.property(name).map(|(_, kind)| kind)
    }

    /// A property by its name.
    pub(super) fn property(&self, name: &str) -> Option<(&'static str, Kind)> {
        self.properties().find(|(known, _)| *known == name)
    }

    /// The way of this name.
    pub(super) fn navigation(&self, name: &str) -> Option<&'static Navigation> {
        self.navigations.iter().find(|one| one.name == name)
    }
}
