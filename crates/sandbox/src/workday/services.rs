//! The web services: the envelope, who asks, and the operation `Get_Workers`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::company::Employee;
use crate::stage::{Listing, Roster};
use crate::wire::{Answer, WireRequest};

use super::asked::{Asked, Criteria, Range, Who};
use super::element::{BUSINESS, Element, write};
use super::fault::{Fault, XML};
use super::person::{
    Person, department, entered, has_begun, id_of, is_contingent, number, other_wid,
};
use super::worker::{organization_id, worker};
use super::{Tenant, USERNAME, refused};

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SECURITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const PASSWORD_TEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// What has changed behind the moment of entry that a read is as of.
pub(super) struct Behind {
    moment: String,
    listing: Listing,
    from: usize,
}

/// Lets what changed behind a moment be seen, unless `asked` is as of that moment.
pub(super) fn catch_up(tenant: &mut Tenant, asked: Option<&str>) {
    let is_as_of = |behind: &mut Behind| asked != Some(behind.moment.as_str());
    if let Some(behind) = tenant.behind.take_if(is_as_of) {
        tenant.stage.moves_border(&behind.listing, behind.from);
    }
}

/// Answers `POST /ccx/service/TENANT/Human_Resources/VERSION`.
pub(super) fn answer(tenant: &mut Tenant, request: &WireRequest, version: &str) -> Answer {
    match respond(tenant, request, version) {
        Ok(answer) => answer,
        Err(fault) => fault.answer(),
    }
}

fn respond(tenant: &mut Tenant, request: &WireRequest, version: &str) -> Result<Answer, Fault> {
    let unreadable = || Fault::validation("The request is no envelope of SOAP.", "/");
    let envelope = Element::parse(&request.body).ok_or_else(unreadable)?;
    if envelope.namespace != ENVELOPE || envelope.name != "Envelope" {
        return Err(unreadable());
    }
    let security = envelope
        .child("Header")
        .and_then(|header| header.child("Security"));
    if !security.is_some_and(|security| is_known(tenant, security)) {
        return Err(Fault::authentication());
    }
    let body = envelope.child("Body").ok_or_else(unreadable)?;
    let operation = body.children.first().ok_or_else(unreadable)?;
    if operation.namespace != BUSINESS || operation.name != "Get_Workers_Request" {
        return Err(Fault::not_authorized());
    }
    if operation
        .attribute("version")
        .is_some_and(|said| said != version)
    {
        return Err(Fault::validation(
            format!("The version of the request is not that of its address, {version}."),
            "/bsvc:Get_Workers_Request/@bsvc:version",
        ));
    }
    if tenant.stage.mischief.throttles() {
        return Ok(refused());
    }
    let asked = Asked::of(operation, tenant.stage.today())?;
    catch_up(tenant, asked.entered.as_deref());
    match &asked.who {
        Who::Named { ids, skips_unknown } => {
            let ids = named(tenant, &asked, ids, *skips_unknown)?;
            by_name(tenant, operation, version, &asked, &ids)
        }
        Who::Everybody(criteria) => everybody(tenant, operation, version, &asked, criteria),
    }
}

/// Whether the header proves the integration's user.
fn is_known(tenant: &Tenant, security: &Element) -> bool {
    let Some(token) = security.child("UsernameToken") else {
        return false;
    };
    let said = |name: &str| {
        let element = token.child(name)?;
        (element.namespace == SECURITY).then_some(element)
    };
    let user = format!("{USERNAME}@{}", tenant.name());
    security.namespace == SECURITY
        && said("Username").is_some_and(|name| name.text() == user)
        && said("Password").is_some_and(|password| {
            let kind = password.plain_attribute("Type");
            kind.is_none_or(|kind| kind == PASSWORD_TEXT)
                && password.text() == tenant.password
                && !tenant.is_locked
        })
}

/// The day as of which is answered.
fn effective(asked: &Asked, roster: &Roster) -> jiff::civil::Date {
    asked.effective.unwrap_or_else(|| roster.day())
}

/// The workers that are asked for by id, in the order asked.
fn named(
    tenant: &Tenant,
    asked: &Asked,
    ids: &[(String, String)],
    skips_unknown: bool,
) -> Result<Vec<u64>, Fault> {
    let roster = tenant.stage.roster();
    let day = effective(asked, roster);
    let numbers: BTreeSet<&str> = (ids.iter())
        .filter(|(kind, _)| kind != "WID")
        .map(|(_, id)| id.as_str())
        .collect();
    let numbered: Vec<(String, u64)> = match numbers.is_empty() {
        true => Vec::new(),
        false => (roster.employees().iter())
            .map(|employee| (number(employee), employee.id))
            .filter(|(number, _)| numbers.contains(number.as_str()))
            .collect(),
    };
    let mut found = Vec::new();
    for (kind, id) in ids {
        let known = match kind.as_str() {
            "WID" => id_of(id),
            "Employee_ID" | "Contingent_Worker_ID" => numbered
                .iter()
                .find(|(number, _)| number == id)
                .map(|(_, id)| *id)
                .filter(|id| {
                    let contingent = roster.employee(*id).map(|one| is_contingent(one, day));
                    contingent == Some(kind == "Contingent_Worker_ID")
                }),
            _ => None,
        };
        let known =
            known.filter(|id| roster.employee(*id).is_some() && !tenant.stage.hides(roster, *id));
        match known {
            Some(id) => found.push(id),
            None if skips_unknown => {}
            None => {
                return Err(Fault::validation(
                    format!(
                        "Invalid ID value.  '{id}' is not a valid ID value for type = '{kind}'"
                    ),
                    "/bsvc:Get_Workers_Request/bsvc:Request_References/bsvc:Worker_Reference",
                ));
            }
        }
    }
    // Who begins later is known, and nothing of them is shown yet.
    found.retain(|id| roster.employee(*id).is_some_and(|one| has_begun(one, day)));
    Ok(found)
}

fn by_name(
    tenant: &Tenant,
    operation: &Element,
    version: &str,
    asked: &Asked,
    ids: &[u64],
) -> Result<Answer, Fault> {
    let roster = tenant.stage.roster();
    let from = (asked.page - 1).saturating_mul(asked.count);
    let workers: Vec<String> = ids
        .iter()
        .skip(from)
        .take(asked.count)
        .filter_map(|id| Some(shown(tenant, roster, roster.employee(*id)?, asked)))
        .collect();
    let totals = (ids.len(), ids.len().div_ceil(asked.count));
    Ok(enveloped(operation, version, asked, totals, &workers))
}

fn everybody(
    tenant: &mut Tenant,
    operation: &Element,
    version: &str,
    asked: &Asked,
    criteria: &Criteria,
) -> Result<Answer, Fault> {
    let from = (asked.page - 1).saturating_mul(asked.count);
    let name = format!("{:?} {criteria:?}", asked.effective);
    let mut listing = listed(tenant, &name, asked, criteria);
    match &asked.entered {
        // As of one moment of entry nothing moves: it shows when another is asked for.
        Some(moment) if from > 0 => {
            tenant.behind = Some(Behind {
                moment: moment.clone(),
                listing: listing.clone(),
                from,
            });
        }
        Some(_) => {}
        None => {
            if tenant.stage.moves_border(&listing, from) {
                listing = listed(tenant, &name, asked, criteria);
            }
        }
    }
    let served = tenant.stage.serve(&listing, from, asked.count);
    let roster = &listing.roster;
    let workers: Vec<String> = listing
        .rows(served.range.clone())
        .map(|row| shown(tenant, roster, &row, asked))
        .collect();
    if tenant.stage.mischief.breaks(served.place) {
        return Err(Fault::broken());
    }
    // A password does not expire in the middle of a day's work; when it does,
    // somebody has to set a new one.
    tenant.is_locked |= tenant.stage.mischief.expires_token(served.place);
    let totals = (served.total, served.pages);
    let answer = enveloped(operation, version, asked, totals, &workers);
    Ok(tenant.stage.finish(served.place, answer))
}

fn listed(tenant: &mut Tenant, name: &str, asked: &Asked, criteria: &Criteria) -> Listing {
    let effective = asked.effective;
    tenant.stage.listing(name, asked.count, |roster, employee| {
        let day = effective.unwrap_or_else(|| roster.day());
        has_begun(employee, day) && keeps(criteria, roster, employee, day)
    })
}

fn keeps(
    criteria: &Criteria,
    roster: &Roster,
    employee: &Employee,
    day: jiff::civil::Date,
) -> bool {
    if criteria.excludes_inactive && !employee.is_running_on(day) {
        return false;
    }
    let excluded = match is_contingent(employee, day) {
        true => criteria.excludes_contingent,
        false => criteria.excludes_employees,
    };
    if excluded {
        return false;
    }
    if !criteria.organizations.is_empty() {
        let own = department(roster, employee).map(|department| {
            let id = organization_id("SUPERVISORY", &department.number);
            let wid = other_wid("Organization_Reference_ID", &id);
            criteria
                .organizations
                .iter()
                .any(|one| *one == id || *one == wid)
        });
        if own != Some(true) {
            return false;
        }
    }
    let mut logs = criteria.transactions.iter();
    criteria.transactions.is_empty()
        || logs.any(|(updated, effective)| {
            updated.is_none_or(|range| was_entered(employee, range))
                && effective.is_none_or(|range| took_effect(employee, range))
        })
}

fn was_entered(employee: &Employee, (from, through): Range) -> bool {
    let moment: Result<Timestamp, _> = entered(employee.changed).parse();
    moment.is_ok_and(|moment| from <= moment && moment <= through)
}

fn took_effect(employee: &Employee, (from, through): Range) -> bool {
    let day = |moment: Timestamp| moment.to_zoned(TimeZone::UTC).date();
    let (from, through) = (day(from), day(through));
    employee.engagements.iter().any(|engagement| {
        let periods = engagement.periods.iter().map(|period| period.from);
        let mut days = periods
            .chain([engagement.start_date])
            .chain(engagement.end_date);
        days.any(|day| from <= day && day <= through)
    })
}

/// Somebody as an element.
fn shown(tenant: &Tenant, roster: &Roster, employee: &Employee, asked: &Asked) -> String {
    let person = Person {
        roster,
        employee,
        day: effective(asked, roster),
    };
    let mut tree = worker(&person, &asked.groups, tenant.stage.has_lost_rights());
    tenant.stage.prune(&mut tree, false);
    let mut text = String::new();
    write("Worker", &tree, &mut text);
    text
}

/// The whole answer: what was asked, how much there is, and the workers.
fn enveloped(
    operation: &Element,
    version: &str,
    asked: &Asked,
    (total, pages): (usize, usize),
    workers: &[String],
) -> Answer {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><env:Envelope xmlns:env=\"{ENVELOPE}\"><env:Body>\
         <wd:Get_Workers_Response xmlns:wd=\"{BUSINESS}\" wd:version=\"{version}\">"
    );
    for part in ["Request_References", "Request_Criteria"] {
        if let Some(part) = operation.child(part) {
            part.echo(&mut text);
        }
    }
    text.push_str("<wd:Response_Filter>");
    let filter = operation.child("Response_Filter");
    for part in ["As_Of_Effective_Date", "As_Of_Entry_DateTime"] {
        if let Some(part) = filter.and_then(|filter| filter.child(part)) {
            part.echo(&mut text);
        }
    }
    text.push_str(&format!(
        "<wd:Page>{}</wd:Page><wd:Count>{}</wd:Count></wd:Response_Filter>",
        asked.page, asked.count
    ));
    if let Some(group) = operation.child("Response_Group") {
        group.echo(&mut text);
    }
    text.push_str(&format!(
        "<wd:Response_Results><wd:Total_Results>{total}</wd:Total_Results>\
         <wd:Total_Pages>{pages}</wd:Total_Pages><wd:Page_Results>{}</wd:Page_Results>\
         <wd:Page>{}</wd:Page></wd:Response_Results>",
        workers.len(),
        asked.page
    ));
    if !workers.is_empty() {
        text.push_str("<wd:Response_Data>");
        workers.iter().for_each(|worker| text.push_str(worker));
        text.push_str("</wd:Response_Data>");
    }
    text.push_str("</wd:Get_Workers_Response></env:Body></env:Envelope>");
    Answer::text(200, XML, text)
}
