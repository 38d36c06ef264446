//! What of a block needs no row: records that come to rest, and links that take
//! over what their record says.

use std::collections::BTreeMap;

use jiff::civil::Date;
use muster_model::plan::Quiet;
use muster_model::{DigestKey, ExternalId, Link, PersonId, Policy};
use muster_reconcile::Touched;
use muster_storage::{Rest, Transaction};

use super::load::{Loader, Marks};
use super::settled_digest;
use crate::error::EngineError;
use crate::wake::wake;

/// Lays the quiet records of a block to rest.
pub(super) async fn settle(
    transaction: &mut Transaction,
    loader: &Loader,
    key: &DigestKey,
    quiet: &[Quiet],
    touched: &[Touched],
    marks: &Marks,
) -> Result<(), EngineError> {
    if quiet.is_empty() {
        return Ok(());
    }
    let connection = loader.connection.id;
    let touched: BTreeMap<&ExternalId, &Touched> = touched
        .iter()
        .filter_map(|touched| Some((touched.external_id.as_ref()?, touched)))
        .collect();
    let mut believed: Vec<Link> = Vec::new();
    let mut settled: Vec<Rest> = Vec::new();
    for quiet in quiet {
        let id = &quiet.external_id;
        let (Some(touched), Some((digest, due_marks))) = (touched.get(id), marks.get(id)) else {
            continue;
        };
        if quiet.settles {
            settled.push(Rest {
                external_id: id.clone(),
                digest: settled_digest(key, quiet.rest, *digest),
                rest: quiet.rest.word().to_owned(),
                due_on: quiet.due_on,
                due_marks: *due_marks,
            });
        }
        if quiet.believed {
            believed.extend(believe(touched, &loader.connection.policy, loader.today));
        }
    }
    // A link that somebody changed meanwhile keeps their version; with it they
    // set the mark, so that the record is looked at again although it rests.
    transaction.write_links(connection, &believed).await?;
    let just = quiet
        .iter()
        .map(|quiet| quiet.external_id.clone())
        .collect();
    let people: Vec<PersonId> = believed.iter().map(|link| link.person).collect();
    wake(transaction, connection, &just, &people).await?;
    transaction
        .settle(connection, &loader.versions, &settled)
        .await?;
    Ok(())
}

/// The link that takes over what its record says; `None` when it knows it already.
fn believe(touched: &Touched, policy: &Policy, today: Date) -> Option<Link> {
    let (link, record) = (touched.link.as_ref()?, touched.record.as_ref()?);
    let mut after = link.clone();
    muster_reconcile::enact::believe(&mut after, record, touched.person.as_ref(), policy, today);
    if after.version == link.version {
        return None;
    }
    // The repository adds one to the version that was read.
    after.version = link.version;
    Some(after)
}
