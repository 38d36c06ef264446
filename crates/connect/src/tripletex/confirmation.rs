//! Asking by id who is still there.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::ExternalId;

use super::api::Api;
use super::employee;
use crate::connector::Confirmation;
use crate::error::ConnectError;

/// Ids in one request: about two thousand characters of address.
pub(super) const BATCH: usize = 100;

/// Asks for the same people as a read does, so that somebody who became a
/// contact is as little there as in the list.
const SELECTION: &str = "id,isContact,isProxy";

/// Asks about each id. What no batch answers is left out; an id that is no
/// number was never this vendor's, and is left out too.
pub(super) async fn confirm(
    api: &Api,
    ids: &[ExternalId],
) -> Result<BTreeMap<ExternalId, Confirmation>, ConnectError> {
    let numbers: Vec<(i64, &ExternalId)> = ids
        .iter()
        .filter_map(|id| Some((id.as_str().parse().ok()?, id)))
        .collect();
    let mut answers = BTreeMap::new();
    let mut failure = None;
    for batch in numbers.chunks(BATCH) {
        let asked: BTreeSet<i64> = batch.iter().map(|(number, _)| *number).collect();
        match present(api, &asked).await {
            Ok(Some(present)) => answers.extend(batch.iter().map(|(number, id)| {
                let answer = if present.contains(number) {
                    Confirmation::Present
                } else {
                    Confirmation::NotThere
                };
                ((*id).clone(), answer)
            })),
            Ok(None) => tracing::warn!(
                ids = batch.len(),
                "the answer holds what was not asked for, and confirms nothing"
            ),
            Err(error) if error.is_of_one_answer() => {
                tracing::warn!(
                    code = error.code(),
                    ids = batch.len(),
                    "a batch could not be confirmed"
                );
                failure = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match failure {
        Some(error) if answers.is_empty() => Err(error),
        _ => Ok(answers),
    }
}

/// Those of the asked who are there. `None` when the answer is not one to the
/// question: somebody in it was not asked for, or it is not whole.
async fn present(api: &Api, asked: &BTreeSet<i64>) -> Result<Option<BTreeSet<i64>>, ConnectError> {
    let list: Vec<String> = asked.iter().map(i64::to_string).collect();
    let query = [("id", list.join(",")), ("fields", SELECTION.to_owned())];
    let page = api.page("/employee", &query, 0, BATCH as u64).await?;
    let ids: Option<BTreeSet<i64>> = page.rows.iter().map(employee::id).collect();
    let Some(ids) = ids.filter(|ids| page.whole && ids.is_subset(asked)) else {
        return Ok(None);
    };
    let left_out = page
        .rows
        .iter()
        .filter(|row| !employee::is_of_company(row))
        .filter_map(employee::id)
        .collect();
    Ok(Some(&ids - &left_out))
}
