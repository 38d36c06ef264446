//! What a `Get_Workers_Request` asks for, held against the vendor's description.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::element::{BUSINESS, Element};
use super::fault::Fault;
use super::worker::Groups;

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 999;

/// The parts of a request, in their order.
const REQUEST: &[&str] = &[
    "Request_References",
    "Request_Criteria",
    "Response_Filter",
    "Response_Group",
];

const CRITERIA: &[&str] = &[
    "Transaction_Log_Criteria_Data",
    "Organization_Reference",
    "Country_Reference",
    "Include_Subordinate_Organizations",
    "Position_Reference",
    "Event_Reference",
    "Benefit_Plan_Reference",
    "Field_And_Parameter_Criteria_Data",
    "National_ID_Criteria_Data",
    "Exclude_Inactive_Workers",
    "Exclude_Employees",
    "Exclude_Contingent_Workers",
];

/// Criteria that may stand several times.
const SEVERAL: &[&str] = &[
    "Transaction_Log_Criteria_Data",
    "Organization_Reference",
    "Country_Reference",
    "Position_Reference",
    "Benefit_Plan_Reference",
    "National_ID_Criteria_Data",
    "Worker_Reference",
    "ID",
];

/// Criteria that the simulator does not search by.
const NOT_SIMULATED: &[&str] = &[
    "Country_Reference",
    "Position_Reference",
    "Event_Reference",
    "Benefit_Plan_Reference",
    "Field_And_Parameter_Criteria_Data",
    "National_ID_Criteria_Data",
];

const FILTER: &[&str] = &[
    "As_Of_Effective_Date",
    "As_Of_Entry_DateTime",
    "Page",
    "Count",
];

const GROUP: &[&str] = &[
    "Include_Reference",
    "Include_Personal_Information",
    "Include_Additional_Jobs",
    "Include_Employment_Information",
    "Include_Compensation",
    "Include_Organizations",
    "Exclude_Organization_Support_Role_Data",
    "Exclude_Location_Hierarchies",
    "Exclude_Cost_Centers",
    "Exclude_Cost_Center_Hierarchies",
    "Exclude_Companies",
    "Exclude_Company_Hierarchies",
    "Exclude_Matrix_Organizations",
    "Exclude_Pay_Groups",
    "Exclude_Regions",
    "Exclude_Region_Hierarchies",
    "Exclude_Supervisory_Organizations",
    "Exclude_Teams",
    "Exclude_Custom_Organizations",
    "Include_Roles",
    "Include_Management_Chain_Data",
    "Include_Multiple_Managers_in_Management_Chain_Data",
    "Include_Benefit_Enrollments",
    "Include_Benefit_Eligibility",
    "Include_Related_Persons",
    "Include_Qualifications",
    "Include_Employee_Review",
    "Include_Goals",
    "Include_Development_Items",
    "Include_Skills",
    "Include_Photo",
    "Include_Worker_Documents",
    "Include_Transaction_Log_Data",
    "Include_Subevents_for_Corrected_Transaction",
    "Include_Subevents_for_Rescinded_Transaction",
    "Include_Succession_Profile",
    "Include_Talent_Assessment",
    "Include_Employee_Contract_Data",
    "Include_Collective_Agreement_Data",
    "Include_Probation_Period_Data",
    "Include_Feedback_Received",
    "Include_User_Account",
    "Include_Career",
    "Include_Account_Provisioning",
    "Include_Background_Check_Data",
    "Include_Contingent_Worker_Tax_Authority_Form_Information",
    "Exclude_Funds",
    "Exclude_Fund_Hierarchies",
    "Exclude_Grants",
    "Exclude_Grant_Hierarchies",
    "Exclude_Business_Units",
    "Exclude_Business_Unit_Hierarchies",
    "Exclude_Programs",
    "Exclude_Program_Hierarchies",
    "Exclude_Gifts",
    "Exclude_Gift_Hierarchies",
];

/// Two moments, both included.
pub(super) type Range = (Timestamp, Timestamp);

/// Who is asked for.
#[derive(Debug)]
pub(super) enum Who {
    /// These workers: the kind of each id, and the id.
    Named {
        ids: Vec<(String, String)>,
        skips_unknown: bool,
    },
    /// Everybody who keeps the criteria.
    Everybody(Criteria),
}

/// What workers must keep to be listed.
#[derive(Debug, Default)]
pub(super) struct Criteria {
    /// One of these transactions: when entered, and when effective.
    pub(super) transactions: Vec<(Option<Range>, Option<Range>)>,
    /// A member of one of these organizations, by the ids given for each.
    pub(super) organizations: Vec<String>,
    pub(super) excludes_inactive: bool,
    pub(super) excludes_employees: bool,
    pub(super) excludes_contingent: bool,
}

/// A request that is valid.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) who: Who,
    pub(super) effective: Option<Date>,
    /// The moment up to which entries count, as it was written.
    pub(super) entered: Option<String>,
    /// Counted from one.
    pub(super) page: usize,
    pub(super) count: usize,
    pub(super) groups: Groups,
}

impl Asked {
    /// Reads a request; `today` is the vendor's day.
    pub(super) fn of(request: &Element, today: Date) -> Result<Self, Fault> {
        ordered(request, REQUEST)?;
        let references = request.child("Request_References");
        let criteria = request.child("Request_Criteria");
        let who = match (references, criteria) {
            (Some(_), Some(_)) => {
                return Err(Fault::validation(
                    "Request References and Request Criteria cannot be used together.",
                    "/bsvc:Get_Workers_Request",
                ));
            }
            (Some(references), None) => named(references)?,
            (None, criteria) => Who::Everybody(criteria.map_or_else(
                || Ok(Criteria::default()),
                |criteria| criteria_of(criteria, today),
            )?),
        };
        let filter = request.child("Response_Filter");
        if let Some(filter) = filter {
            ordered(filter, FILTER)?;
        }
        let said = |name: &'static str| filter.and_then(|filter| filter.child(name));
        let effective = said("As_Of_Effective_Date").map(date).transpose()?;
        if let Some(entered) = said("As_Of_Entry_DateTime") {
            moment(entered)?;
        }
        let page = said("Page").map_or(Ok(1), whole)?;
        if page == 0 {
            return Err(Fault::validation(
                "Page number cannot be zero.",
                "/bsvc:Get_Workers_Request/bsvc:Response_Filter",
            ));
        }
        let count = said("Count").map_or(Ok(DEFAULT_PAGE), |count| match whole(count)? {
            size @ 1..=LARGEST_PAGE => Ok(size),
            _ => Err(wrong(count)),
        })?;
        let groups = match request.child("Response_Group") {
            None => Groups::usual(),
            Some(group) => {
                ordered(group, GROUP)?;
                let mut on = Vec::new();
                for switch in &group.children {
                    if flag(Some(switch))? {
                        on.push(switch.name.clone());
                    }
                }
                Groups::of(on)
            }
        };
        Ok(Self {
            who,
            effective,
            entered: said("As_Of_Entry_DateTime").map(|moment| moment.text().to_owned()),
            page,
            count,
            groups,
        })
    }
}

fn named(references: &Element) -> Result<Who, Fault> {
    ordered(references, &["Worker_Reference"])?;
    let skips_unknown = match references.attribute("Skip_Non_Existing_Instances") {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(wrong(references)),
    };
    let mut ids = Vec::new();
    for reference in &references.children {
        ordered(reference, &["ID"])?;
        let Some(id) = reference.child("ID") else {
            return Err(wrong(reference));
        };
        let kind = id.attribute("type").ok_or_else(|| wrong(id))?;
        ids.push((kind.to_owned(), id.text().to_owned()));
    }
    Ok(Who::Named { ids, skips_unknown })
}

fn criteria_of(criteria: &Element, today: Date) -> Result<Criteria, Fault> {
    ordered(criteria, CRITERIA)?;
    if let Some(other) =
        (criteria.children.iter()).find(|child| NOT_SIMULATED.contains(&child.name.as_str()))
    {
        return Err(Fault::validation(
            format!("{} is not simulated.", other.name),
            "/bsvc:Get_Workers_Request/bsvc:Request_Criteria",
        ));
    }
    let mut transactions = Vec::new();
    for log in criteria.all("Transaction_Log_Criteria_Data") {
        transactions.push(transaction(log, today)?);
    }
    let mut organizations = Vec::new();
    for reference in criteria.all("Organization_Reference") {
        ordered(reference, &["ID"])?;
        organizations.extend(reference.all("ID").map(|id| id.text().to_owned()));
    }
    Ok(Criteria {
        transactions,
        organizations,
        excludes_inactive: flag(criteria.child("Exclude_Inactive_Workers"))?,
        excludes_employees: flag(criteria.child("Exclude_Employees"))?,
        excludes_contingent: flag(criteria.child("Exclude_Contingent_Workers"))?,
    })
}

fn transaction(log: &Element, today: Date) -> Result<(Option<Range>, Option<Range>), Fault> {
    const DATES: &str = "Transaction_Date_Range_Data";
    const KNOWN: &[&str] = &[DATES, "Transaction_Type_References", "Subscriber_Reference"];
    const RANGE: &[&str] = &[
        "Updated_From",
        "Updated_Through",
        "Effective_From",
        "Effective_Through",
    ];
    ordered(log, KNOWN)?;
    if log.children.iter().any(|child| child.name != DATES) {
        return Err(Fault::validation(
            "Transaction types and subscribers are not simulated.",
            "/bsvc:Get_Workers_Request/bsvc:Request_Criteria/bsvc:Transaction_Log_Criteria_Data",
        ));
    }
    let Some(data) = log.child(DATES) else {
        return Ok((None, None));
    };
    ordered(data, RANGE)?;
    let refused = |message: String| {
        let place = "/bsvc:Get_Workers_Request/bsvc:Request_Criteria/bsvc:Transaction_Log_Criteria_Data/bsvc:Transaction_Date_Range_Data";
        Fault::validation(message, place)
    };
    let range = |kind: &str| -> Result<Option<Range>, Fault> {
        let (from, through) = (format!("{kind}_From"), format!("{kind}_Through"));
        match (data.child(&from), data.child(&through)) {
            (None, None) => Ok(None),
            (Some(from), Some(through)) => {
                let (from, through) = (moment(from)?, moment(through)?);
                if from > through {
                    return Err(refused(format!(
                        "{kind} From must be less than or equal to {kind} Through!"
                    )));
                }
                Ok(Some((from, through)))
            }
            _ => Err(refused(format!(
                "If one of {kind} From or {kind} Through contains a value, both are Required!"
            ))),
        }
    };
    let updated = range("Updated")?;
    // The simulator knows days only.
    let tomorrow = today.tomorrow().unwrap_or(today);
    if let Some((_, through)) = updated
        && through.to_zoned(TimeZone::UTC).date() > tomorrow
    {
        let message = "Updated Through must be less than or equal to Current Moment!";
        return Err(refused(message.to_owned()));
    }
    Ok((updated, range("Effective")?))
}

/// Whether an element has only these parts, in this order.
fn ordered(element: &Element, known: &[&str]) -> Result<(), Fault> {
    let mut place = 0;
    for child in &element.children {
        let found = known.iter().position(|name| *name == child.name);
        let several = SEVERAL.contains(&child.name.as_str());
        match found {
            Some(found) if child.namespace == BUSINESS && found >= place => {
                place = found + usize::from(!several);
            }
            _ => {
                return Err(Fault::validation(
                    format!(
                        "Element '{}' is not expected here inside '{}'.",
                        child.name, element.name
                    ),
                    &format!("//bsvc:{}/bsvc:{}", element.name, child.name),
                ));
            }
        }
    }
    Ok(())
}

fn wrong(element: &Element) -> Fault {
    Fault::validation(
        format!("The content of element '{}' is not valid.", element.name),
        &format!("//bsvc:{}", element.name),
    )
}

fn flag(element: Option<&Element>) -> Result<bool, Fault> {
    let Some(element) = element else {
        return Ok(false);
    };
    match element.text() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong(element)),
    }
}

fn whole(element: &Element) -> Result<usize, Fault> {
    element.text().parse().map_err(|_| wrong(element))
}

/// A day; a zone behind it is legal and says nothing here.
fn date(element: &Element) -> Result<Date, Fault> {
    let day = element.text().get(..10).and_then(|day| day.parse().ok());
    day.ok_or_else(|| wrong(element))
}

/// A moment; without a zone it is UTC.
fn moment(element: &Element) -> Result<Timestamp, Fault> {
    let text = element.text();
    let with_zone = || text.parse::<Timestamp>().ok();
    let without = || {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    with_zone().or_else(without).ok_or_else(|| wrong(element))
}
