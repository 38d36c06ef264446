//! Reading records by their ids, as the list shows them.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::ExternalId;

use super::api::Api;
use super::confirmation::BATCH;
use super::departments::Managers;
use super::employee::{self, RowReader};
use super::selection;
use crate::connector::{FieldScope, ReadRequest};
use crate::error::ConnectError;
use crate::normalise::Rules;
use crate::writing::Fetched;

/// Reads each of these records. One that no answer speaks of is left out; an id
/// that is no number was never this vendor's.
pub(super) async fn fetch(
    api: &Api,
    ids: &[ExternalId],
    request: &ReadRequest,
    rules: &Rules,
) -> Result<BTreeMap<ExternalId, Fetched>, ConnectError> {
    let numbers: Vec<i64> = ids
        .iter()
        .filter_map(|id| id.as_str().parse().ok())
        .collect();
    // Managers stand elsewhere: whoever reads single records asks for no manager.
    let managers = Managers::default();
    let reader = RowReader {
        scope: &request.fields,
        rules,
        managers: &managers,
    };
    let mut fetched = BTreeMap::new();
    for batch in numbers.chunks(BATCH) {
        fetched.extend(some(api, batch, &request.fields, &reader).await?);
    }
    Ok(fetched)
}

async fn some(
    api: &Api,
    numbers: &[i64],
    scope: &FieldScope,
    reader: &RowReader<'_>,
) -> Result<BTreeMap<ExternalId, Fetched>, ConnectError> {
    let asked: BTreeSet<i64> = numbers.iter().copied().collect();
    let list: Vec<String> = asked.iter().map(i64::to_string).collect();
    let query = [
        ("id", list.join(",")),
        ("fields", selection::of_employee(scope)),
    ];
    let page = api.page("/employee", &query, 0, BATCH as u64).await?;
    let mut fetched = BTreeMap::new();
    for row in &page.rows {
        // Whoever was not asked for, and whoever is none of the company's people.
        if let Some(id) = employee::id(row)
            && asked.contains(&id)
            && employee::is_of_company(row)
        {
            let record = reader.record(id, row);
            fetched.insert(
                record.external_id.clone(),
                Fetched::Record(Box::new(record)),
            );
        }
    }
    // An answer that is not whole proves nobody's absence.
    if page.whole {
        for id in asked {
            let id = ExternalId::new(id.to_string());
            fetched.entry(id).or_insert(Fetched::NotThere);
        }
    }
    Ok(fetched)
}
