//! What a read asks for: columns, navigations, days and pages.

use jiff::civil::Date;

use crate::wire::WireRequest;

use super::failure::Failure;
use super::filter::Filter;
use super::row::{ALWAYS, NO_END};
use super::schema::{Entity, Navigation};

/// The most rows in one answer.
pub(super) const LARGEST_PAGE: usize = 1000;

/// Parameters that are taken; others are refused.
const PARAMETERS: [&str; 15] = [
    "$format",
    "$select",
    "$expand",
    "$filter",
    "$orderby",
    "$top",
    "$skip",
    "$skiptoken",
    "$inlinecount",
    "$count",
    "paging",
    "custompagesize",
    "asofdate",
    "fromdate",
    "todate",
];

/// Which properties and navigations of a row are shown.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// All when nothing was chosen.
    pub(super) properties: Option<Vec<&'static str>>,
    /// Navigations that are shown: expanded, or as an address alone.
    pub(super) ways: Vec<(&'static Navigation, Option<Shape>)>,
}

/// For which days rows by date are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    /// Without a word: those of today.
    Today,
    AsOf(Date),
    Between(Date, Date),
}

/// A read.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) shape: Shape,
    pub(super) days: Days,
    pub(super) filter: Option<Filter>,
    /// As it was written: part of a list's name.
    pub(super) filter_text: String,
    /// Properties, each with whether the order runs down.
    pub(super) order: Vec<(&'static str, bool)>,
    pub(super) top: Option<usize>,
    pub(super) skip: usize,
    pub(super) skip_token: Option<String>,
    pub(super) page_size: usize,
    pub(super) wants_count: bool,
    /// Whether the list is to stand still while it is read.
    pub(super) is_snapshot: bool,
}

/// A path of `$select` or `$expand`.
type Steps = Vec<String>;

fn paths(text: Option<&str>) -> Vec<Steps> {
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|path| !path.is_empty())
        .map(|path| path.split('/').map(str::to_owned).collect())
        .collect()
}

impl Shape {
    fn of(
        entity: &'static Entity,
        select: &[&[String]],
        expand: &[&[String]],
    ) -> Result<Self, Failure> {
        let unknown = |name: &str| Failure::unknown_property(entity.name, name);
        let is_chosen = !select.is_empty();
        let is_all = select
            .iter()
            .any(|path| matches!(path, [star] if star == "*"));
        let mut properties = Vec::new();
        for path in select {
            let [name, rest @ ..] = path else { continue };
            if name == "*" {
                continue;
            }
            match entity.property(name) {
                Some((property, _)) if rest.is_empty() => {
                    if !properties.contains(&property) {
                        properties.push(property);
                    }
                }
                _ => {
                    entity.navigation(name).ok_or_else(|| unknown(name))?;
                }
            }
        }
        for path in expand {
            if let [name, ..] = path {
                entity.navigation(name).ok_or_else(|| unknown(name))?;
            }
        }
        let mut ways = Vec::new();
        for navigation in entity.navigations {
            let inside = |paths: &[&[String]]| -> Vec<Steps> {
                paths
                    .iter()
                    .filter_map(|path| match path {
                        [name, rest @ ..] if name == navigation.name => Some(rest.to_vec()),
                        _ => None,
                    })
                    .collect()
            };
            let (chosen, expanded) = (inside(select), inside(expand));
            // What was not chosen is not shown, though it be expanded.
            if is_chosen && chosen.is_empty() {
                continue;
            }
            if expanded.is_empty() {
                ways.push((navigation, None));
                continue;
            }
            let target = Entity::named(navigation.target)
                .ok_or_else(|| Failure::unknown_entity(navigation.target))?;
            // A navigation that is chosen as such is chosen with everything.
            let chosen: Vec<&[String]> = match chosen.iter().any(Vec::is_empty) {
                true => Vec::new(),
                false => chosen.iter().map(Vec::as_slice).collect(),
            };
            let expanded: Vec<&[String]> = expanded
                .iter()
                .filter(|path| !path.is_empty())
                .map(Vec::as_slice)
                .collect();
            ways.push((navigation, Some(Self::of(target, &chosen, &expanded)?)));
        }
        Ok(Self {
            properties: (is_chosen && !is_all).then_some(properties),
            ways,
        })
    }
}

impl Query {
    /// Reads the parameters of a request for rows of an entity.
    pub(super) fn of(entity: &'static Entity, request: &WireRequest) -> Result<Self, Failure> {
        let parameters: Vec<(String, String)> = request
            .parameters()
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        if let Some((name, _)) = parameters
            .iter()
            .find(|(name, _)| !PARAMETERS.contains(&name.as_str()))
        {
            return Err(Failure::bad_request(name));
        }
        let given = |name: &str| {
            parameters
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        let number = |name: &str| -> Result<Option<usize>, Failure> {
            given(name)
                .map(|text| text.parse().map_err(|_| Failure::bad_request(name)))
                .transpose()
        };
        let day = |name: &str| -> Result<Option<Date>, Failure> {
            given(name)
                .map(|text| text.parse().map_err(|_| Failure::bad_request(name)))
                .transpose()
        };
        let days = match (day("asofdate")?, day("fromdate")?, day("todate")?) {
            (None, None, None) => Days::Today,
            (Some(day), None, None) => Days::AsOf(day),
            (None, from, until) => Days::Between(from.unwrap_or(ALWAYS), until.unwrap_or(NO_END)),
            // One or the other, not both.
            _ => return Err(Failure::bad_request("asOfDate with fromDate or toDate")),
        };
        let filter = given("$filter")
            .map(|text| Filter::parse(entity, text))
            .transpose()?;
        let (select, expand) = (paths(given("$select")), paths(given("$expand")));
        let shape = Shape::of(
            entity,
            &select.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            &expand.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        )?;
        let mut order = Vec::new();
        for part in given("$orderby").unwrap_or_default().split(',') {
            let mut words = part.split_whitespace();
            let Some(name) = words.next() else { continue };
            let (property, _) = entity
                .property(name)
                .ok_or_else(|| Failure::unknown_property(entity.name, name))?;
            order.push((property, words.next() == Some("desc")));
        }
        let page_size = number("custompagesize")?.unwrap_or(LARGEST_PAGE);
        if page_size == 0 {
            return Err(Failure::bad_request("customPageSize"));
        }
        Ok(Self {
            shape,
            days,
            filter,
            filter_text: given("$filter").unwrap_or_default().to_owned(),
            order,
            top: number("$top")?,
            skip: number("$skip")?.unwrap_or(0),
            skip_token: given("$skiptoken").map(str::to_owned),
            page_size: page_size.min(LARGEST_PAGE),
            wants_count: given("$inlinecount") == Some("allpages"),
            is_snapshot: matches!(given("paging"), Some("snapshot" | "cursor")),
        })
    }
}
