//! Asking by id who is still there.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use muster_model::ExternalId;
use serde_json::Value as Json;

use super::compiled::CompiledById;
use super::reading::id;
use super::vendor::{Variables, Vendor};
use crate::connector::Confirmation;
use crate::error::ConnectError;
use crate::http::Answer;

/// Asks about each id. What no answer speaks of is left out.
pub(super) async fn confirm(
    vendor: &Vendor,
    by_id: &CompiledById,
    always: &[String],
    ids: &[ExternalId],
    concurrent: usize,
) -> Result<BTreeMap<ExternalId, Confirmation>, ConnectError> {
    let ids = by_id.own(ids);
    let batches: Vec<_> = ids
        .chunks(by_id.batch)
        .map(|ids| batch(vendor, by_id, always, ids))
        .collect();
    let answered = futures::stream::iter(batches)
        .buffered(concurrent)
        .collect::<Vec<_>>()
        .await;
    let mut answers = BTreeMap::new();
    let mut failure = None;
    for answer in answered {
        match answer {
            Ok(some) => answers.extend(some),
            Err(error) if error.is_of_one_answer() => {
                tracing::warn!(code = error.code(), "a batch could not be confirmed");
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

type Answers = Vec<(ExternalId, Confirmation)>;

async fn batch(
    vendor: &Vendor,
    by_id: &CompiledById,
    always: &[String],
    ids: &[&ExternalId],
) -> Result<Answers, ConnectError> {
    // Nothing is asked for of people but whether they are there.
    let variables = (Variables::default())
        .with("wanted", always.to_vec())
        .with("selected", always.to_vec());
    match (by_id.batch, ids) {
        (1, [id]) => one(vendor, by_id, variables, id).await,
        (_, ids) => many(vendor, by_id, variables, ids).await,
    }
}

/// Is it the row of somebody who is there? An error when that cannot be told.
fn is_there(vendor: &Vendor, by_id: &CompiledById, row: &Json) -> Result<bool, ()> {
    let Some(only) = &by_id.only else {
        return Ok(true);
    };
    let general = vendor.general(None);
    let scope = general.scope().with("row", row);
    only.holds(&scope).map_err(|_| ())
}

async fn one(
    vendor: &Vendor,
    by_id: &CompiledById,
    variables: Variables,
    asked: &ExternalId,
) -> Result<Answers, ConnectError> {
    let variables = variables.with("id", asked.as_str());
    let answer = vendor.ask(&by_id.request, &variables).await?;
    if is_gone(vendor, by_id, &answer) {
        return Ok(vec![(asked.clone(), Confirmation::NotThere)]);
    }
    if vendor.refusals.meaning(&answer).is_some() {
        return Err(vendor.refusals.error(&answer));
    }
    let row = by_id.rows.find(&answer.json);
    // A good answer that speaks of somebody else, or of nobody, confirms nothing.
    let said = row.and_then(|row| match &by_id.id {
        Some(pointer) => id(pointer.find(row)?),
        None => (!row.is_null()).then(|| asked.as_str().to_owned()),
    });
    Ok(match said {
        Some(said) if said == asked.as_str() => {
            match is_there(vendor, by_id, row.unwrap_or(&Json::Null)) {
                Ok(true) => vec![(asked.clone(), Confirmation::Present)],
                Ok(false) => vec![(asked.clone(), Confirmation::NotThere)],
                Err(()) => Vec::new(),
            }
        }
        _ => Vec::new(),
    })
}

/// Is it the answer that says that there is no such record?
pub(super) fn is_gone(vendor: &Vendor, by_id: &CompiledById, answer: &Answer) -> bool {
    by_id.gone.as_ref().is_some_and(|(status, codes)| {
        *status == answer.status
            && (codes.is_empty()
                || (vendor.refusals.code(answer)).is_some_and(|code| codes.contains(&code)))
    })
}

async fn many(
    vendor: &Vendor,
    by_id: &CompiledById,
    variables: Variables,
    batch: &[&ExternalId],
) -> Result<Answers, ConnectError> {
    let asked: BTreeSet<String> = batch.iter().map(|id| id.as_str().to_owned()).collect();
    let ids: Vec<String> = asked.iter().cloned().collect();
    let answer = vendor
        .call(&by_id.request, &variables.with("ids", ids), None)
        .await?;
    let rows = match by_id.rows.find(&answer.json) {
        Some(Json::Array(rows)) => rows.as_slice(),
        Some(one @ Json::Object(_)) => std::slice::from_ref(one),
        _ if vendor.lists_may_be_missing => &[],
        _ => {
            return Err(vendor
                .refusals
                .unexpected("the answer holds no list", &answer));
        }
    };
    let pointer = by_id.id.as_ref();
    let present: Option<BTreeSet<String>> =
        rows.iter().map(|row| id(pointer?.find(row)?)).collect();
    // Somebody in it who was not asked for, or fewer than it says: it is no answer to the question.
    let counted = by_id.is_counted(&answer.json, rows.len());
    let Some(mut present) = present.filter(|present| counted && present.is_subset(&asked)) else {
        tracing::warn!(ids = batch.len(), "an answer confirms nothing");
        return Ok(Vec::new());
    };
    for row in rows {
        let Ok(there) = is_there(vendor, by_id, row) else {
            return Ok(Vec::new());
        };
        if !there && let Some(id) = pointer.and_then(|pointer| id(pointer.find(row)?)) {
            present.remove(&id);
        }
    }
    Ok((batch.iter())
        .map(|id| {
            let there = present.contains(id.as_str());
            let answer = if there {
                Confirmation::Present
            } else {
                Confirmation::NotThere
            };
            ((*id).clone(), answer)
        })
        .collect())
}
