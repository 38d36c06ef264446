//! Adding to the audit log.

use muster_model::{Digest, PersonId};
use uuid::Uuid;

use super::bulk::append;
use super::{Db, Session, people};
use crate::audit::{
    AuditHead, Cause, Event, Journal, LEAF_BYTES, Leaf, StoredEntry, Tree, detail_leaf, entry_hash,
    genesis, seal_digest,
};
use crate::cell::{Cell, Kind, Table};
use crate::error::StorageError;
use crate::scope::Scope;
use crate::stored::{count, digest, number, to_json};

const DETAILS: Table = Table {
    name: "audit_details",
    columns: &[
        ("organisation_id", Kind::Uuid),
        ("number", Kind::Number),
        ("ordinal", Kind::Number),
        ("kind", Kind::Text),
        ("person_id", Kind::Uuid),
        ("facts", Kind::Text),
        ("sealed", Kind::Bytes),
        ("seal", Kind::Bytes),
    ],
};
/// Takes the next number. On PostgreSQL other commits of the organisation wait
/// here until this one ends, so it is the last thing that a transaction does.
const NEXT: &str = "INSERT INTO audit_heads (organisation_id, number, hash) VALUES ($1, 1, $2) \
    ON CONFLICT (organisation_id) DO UPDATE SET number = audit_heads.number + 1 \
    RETURNING number, hash";
const ENTER: &str = "INSERT INTO audit_entries (organisation_id, number, at, cause, details, \
    changes, root, leaves, previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const SET_HEAD: &str = "UPDATE audit_heads SET hash = $2 WHERE organisation_id = $1";
const HEAD: &str = "SELECT number, hash FROM audit_heads WHERE organisation_id = $1";

/// Enters what a transaction did.
pub(crate) async fn enter(
    scope: &Scope,
    session: &mut Session,
    journal: Journal,
) -> Result<(), StorageError> {
    for (cause, events, changes) in journal.into_entries(scope.actor) {
        enter_one(scope, &mut *session, cause, &events, &changes).await?;
    }
    Ok(())
}

/// The newest entry.
pub(crate) async fn head(
    scope: &Scope,
    session: &mut Session,
) -> Result<Option<AuditHead>, StorageError> {
    sqlx::query_as::<Db, (i64, Vec<u8>)>(HEAD)
        .bind(scope.id())
        .fetch_optional(session)
        .await?
        .map(|(number, hash)| {
            Ok(AuditHead {
                number: count("audit_heads.number", number)?,
                hash: digest("audit_heads.hash", &hash)?,
            })
        })
        .transpose()
}

async fn enter_one(
    scope: &Scope,
    session: &mut Session,
    cause: Cause,
    events: &[Event],
    changes: &[Leaf],
) -> Result<(), StorageError> {
    let key = &scope.index_key;
    let spoken_of: Vec<PersonId> = events
        .iter()
        .filter(|event| event.more.is_some())
        .filter_map(|event| event.person)
        .collect();
    let keys = people::keys_of(scope, &mut *session, &spoken_of).await?;
    let first = genesis(key, scope.organisation);
    let (place, previous) = sqlx::query_as::<Db, (i64, Vec<u8>)>(NEXT)
        .bind(scope.id())
        .bind(first.as_bytes().as_slice())
        .fetch_one(&mut *session)
        .await?;

    let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(events.len());
    let mut leaves = Vec::with_capacity((events.len() + changes.len()) * LEAF_BYTES);
    for (ordinal, event) in (0_u32..).zip(events) {
        let facts = to_json("audit_details.facts", &event.facts)?;
        let person = event.person.map(PersonId::uuid);
        let (entry, row) = (place.to_le_bytes(), ordinal.to_le_bytes());
        let owner = [entry.as_slice(), row.as_slice()];
        let with = match event.person {
            Some(person) => keys.get(&person),
            None => Some(&scope.key),
        };
        // Of somebody who was erased in this transaction nothing more is said.
        let sealed = match (&event.more, with) {
            (Some(more), Some(with)) => {
                let plain = zeroize::Zeroizing::new(to_json("audit_details.sealed", more)?);
                Some(scope.seal(with, "audit_details.sealed", &owner, plain.as_bytes())?)
            }
            _ => None,
        };
        let seal = sealed.as_deref().map(|sealed| seal_digest(key, sealed));
        let seal = seal.map(|digest| digest.as_bytes().to_vec());
        let digest = detail_leaf(key, event.kind.word(), person, &facts, seal.as_deref());
        leaves.extend_from_slice(
            &Leaf {
                place: ordinal,
                digest,
            }
            .bytes(),
        );
        rows.push(vec![
            scope.id().into(),
            place.into(),
            i64::from(ordinal).into(),
            event.kind.word().into(),
            person.into(),
            facts.into(),
            sealed.into(),
            seal.into(),
        ]);
    }
    for change in changes {
        leaves.extend_from_slice(&change.bytes());
    }
    append(&mut *session, &DETAILS, rows).await?;

    let root = Tree::of(key, &leaves).root(key);
    let mut entry = StoredEntry {
        number: place,
        at: scope.now(),
        cause: to_json("audit_entries.cause", &cause)?,
        details: number("audit_entries.details", events.len() as u64)?,
        changes: number("audit_entries.changes", changes.len() as u64)?,
        root: root.as_bytes().to_vec(),
        leaves,
        previous,
        hash: Vec::new(),
    };
    let hash: Digest = entry_hash(key, scope.organisation, &entry);
    entry.hash = hash.as_bytes().to_vec();
    store(scope.id(), &mut *session, &entry).await?;
    sqlx::query(SET_HEAD)
        .bind(scope.id())
        .bind(entry.hash)
        .execute(session)
        .await?;
    Ok(())
}

async fn store(
    organisation: Uuid,
    session: &mut Session,
    entry: &StoredEntry,
) -> Result<(), StorageError> {
    sqlx::query(ENTER)
        .bind(organisation)
        .bind(entry.number)
        .bind(entry.at)
        .bind(&entry.cause)
        .bind(entry.details)
        .bind(entry.changes)
        .bind(&entry.root)
        .bind(&entry.leaves)
        .bind(&entry.previous)
        .bind(&entry.hash)
        .execute(session)
        .await?;
    Ok(())
}
