//! The directory.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::fields::serialize_said;
use muster_model::{
    Access, AccessCause, EngagementStatus, Field, Fields, MatchKey, Person, PersonId, Value,
};
use serde::{Serialize, Serializer};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::bulk::{append_made, stage_made};
use super::{Db, Session, keys};
use crate::cell::{Cell, Kind, Table};
use crate::cores::all_at_once;
use crate::error::StorageError;
use crate::owners::Owners;
use crate::person::{PersonQuery, PersonToWrite};
use crate::scope::Scope;
use crate::seal::Key;
use crate::stored::{count, from_json, number, to_json, word};

/// People asked for in one statement.
const AT_ONCE: usize = 500;
/// People staged at once.
const STAGED: usize = 5_000;

/// Declares the columns of a person once, for the table and for its stage.
macro_rules! person_columns {
    ($($more:expr,)*) => {
        &[
            $($more,)*
            ("id", Kind::Uuid),
            ("fields", Kind::Text),
            ("sealed", Kind::Bytes),
            ("wrapped_key", Kind::Bytes),
            ("owners", Kind::Text),
            ("engagements", Kind::Text),
            ("manager_id", Kind::Uuid),
            ("employment", Kind::Text),
            ("access", Kind::Text),
            ("access_before", Kind::Text),
            ("access_cause", Kind::Text),
            ("standing", Kind::Text),
            ("version", Kind::Number),
            ("work_email", Kind::Text),
            ("employee_number", Kind::Text),
            ("administrator", Kind::Number),
            ("provenance", Kind::Text),
        ]
    };
}
const PEOPLE: Table = Table {
    name: "stage_people",
    columns: person_columns![],
};
const NEW_PEOPLE: Table = Table {
    name: "people",
    columns: person_columns![
        ("organisation_id", Kind::Uuid),
        ("created_at", Kind::Number),
        ("updated_at", Kind::Number),
    ],
};
const UPDATE: &str = "UPDATE people SET fields = given.fields, sealed = given.sealed, \
    owners = given.owners, engagements = given.engagements, manager_id = given.manager_id, \
    employment = given.employment, access = given.access, access_before = given.access_before, \
    access_cause = given.access_cause, standing = given.standing, version = given.version + 1, \
    work_email = given.work_email, employee_number = given.employee_number, \
    administrator = given.administrator, provenance = given.provenance, updated_at = $2 \
    FROM stage_people AS given WHERE people.organisation_id = $1 AND people.id = given.id \
    AND people.id IN (SELECT id FROM stage_people) \
    AND people.version = given.version AND given.version > 0 RETURNING people.id";
const PAGE: &str = "SELECT id, fields, sealed, wrapped_key, owners, engagements, manager_id, \
    employment, access, access_before, access_cause, standing, version, provenance FROM people \
    WHERE organisation_id = $1 AND id > $2 ORDER BY id LIMIT $3";
const BY_WORK_EMAIL: &str = "SELECT id, fields, sealed, wrapped_key, owners, engagements, \
    manager_id, employment, access, access_before, access_cause, standing, version, provenance FROM people \
    WHERE organisation_id = $1 AND work_email = $2 ORDER BY id";
const BY_EMPLOYEE_NUMBER: &str = "SELECT id, fields, sealed, wrapped_key, owners, engagements, \
    manager_id, employment, access, access_before, access_cause, standing, version, provenance FROM people \
    WHERE organisation_id = $1 AND employee_number = $2 ORDER BY id";
const MANAGER_EDGES: &str = "SELECT id, manager_id FROM people \
    WHERE organisation_id = $1 AND manager_id IS NOT NULL ORDER BY id";

const ADMINISTRATORS: &str = "SELECT count(*) FROM people \
    WHERE organisation_id = $1 AND access = $2 AND administrator = 1";

type Row = (
    Uuid,
    String,
    Option<Vec<u8>>,
    Vec<u8>,
    String,
    String,
    Option<Uuid>,
    String,
    String,
    Option<String>,
    Option<String>,
    String,
    i64,
    Option<String>,
);

pub(crate) async fn by_ids(
    scope: &Scope,
    session: &mut Session,
    ids: &[PersonId],
) -> Result<Vec<Person>, StorageError> {
    let mut people = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let mut query = given(ids);
        query.push(
            "SELECT person.id, person.fields, person.sealed, person.wrapped_key, person.owners, \
             person.engagements, person.manager_id, person.employment, person.access, \
             person.access_before, person.access_cause, person.standing, person.version, \
             person.provenance \
             FROM given CROSS JOIN people AS person \
             WHERE person.id = given.id AND person.organisation_id = ",
        );
        query.push_bind(scope.id());
        let rows = query
            .build_query_as::<Row>()
            .fetch_all(&mut *session)
            .await?;
        people.extend(all_at_once(rows, |row| read(scope, row))?);
    }
    Ok(people)
}

pub(crate) async fn page(
    scope: &Scope,
    session: &mut Session,
    after: Option<PersonId>,
    limit: u32,
) -> Result<Vec<Person>, StorageError> {
    sqlx::query_as::<Db, Row>(PAGE)
        .bind(scope.id())
        .bind(after.map_or(Uuid::nil(), PersonId::uuid))
        .bind(i64::from(limit))
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|row| read(scope, row))
        .collect()
}

pub(crate) async fn find(
    scope: &Scope,
    session: &mut Session,
    query: &PersonQuery,
) -> Result<Vec<Person>, StorageError> {
    let (statement, field, text) = match query {
        PersonQuery::Id(id) => return by_ids(scope, session, &[*id]).await,
        PersonQuery::WorkEmail(text) => (BY_WORK_EMAIL, Field::WorkEmail, text),
        PersonQuery::EmployeeNumber(text) => (BY_EMPLOYEE_NUMBER, Field::EmployeeNumber, text),
    };
    let Some(folded) = Value::text(text.as_str()).key_text(field) else {
        return Ok(Vec::new());
    };
    sqlx::query_as::<Db, Row>(statement)
        .bind(scope.id())
        .bind(folded)
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|row| read(scope, row))
        .collect()
}

/// Who has a manager, and whom.
pub(crate) async fn manager_edges(
    scope: &Scope,
    session: &mut Session,
) -> Result<Vec<(PersonId, PersonId)>, StorageError> {
    Ok(sqlx::query_as::<Db, (Uuid, Uuid)>(MANAGER_EDGES)
        .bind(scope.id())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|(person, manager)| (PersonId::from_uuid(person), PersonId::from_uuid(manager)))
        .collect())
}

/// Those of these people who have a manager, and whom.
pub(crate) async fn managers_of(
    scope: &Scope,
    session: &mut Session,
    ids: &[PersonId],
) -> Result<Vec<(PersonId, PersonId)>, StorageError> {
    let mut edges = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let mut query = given(ids);
        query.push(
            "SELECT person.id, person.manager_id FROM given CROSS JOIN people AS person \
             WHERE person.id = given.id AND person.manager_id IS NOT NULL \
             AND person.organisation_id = ",
        );
        query.push_bind(scope.id());
        for (person, manager) in query
            .build_query_as::<(Uuid, Uuid)>()
            .fetch_all(&mut *session)
            .await?
        {
            edges.push((PersonId::from_uuid(person), PersonId::from_uuid(manager)));
        }
    }
    Ok(edges)
}

/// Who has each of these folded addresses.
pub(crate) async fn of_addresses(
    scope: &Scope,
    session: &mut Session,
    addresses: &[String],
) -> Result<BTreeMap<String, Vec<PersonId>>, StorageError> {
    let mut people: BTreeMap<String, Vec<PersonId>> = BTreeMap::new();
    for addresses in addresses.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new("WITH given (address) AS (");
        query.push_values(addresses, |mut row, address| {
            row.push_bind(address.as_str());
        });
        query.push(
            ") SELECT person.work_email, person.id FROM given CROSS JOIN people AS person \
             WHERE person.work_email = given.address AND person.organisation_id = ",
        );
        query.push_bind(scope.id());
        for (address, id) in query
            .build_query_as::<(String, Uuid)>()
            .fetch_all(&mut *session)
            .await?
        {
            people
                .entry(address)
                .or_default()
                .push(PersonId::from_uuid(id));
        }
    }
    Ok(people)
}

/// Who reports to these people: (report, manager).
pub(crate) async fn reports_of(
    scope: &Scope,
    session: &mut Session,
    managers: &[PersonId],
) -> Result<Vec<(PersonId, PersonId)>, StorageError> {
    let mut reports = Vec::new();
    for managers in managers.chunks(AT_ONCE) {
        let mut query = given(managers);
        query.push(
            "SELECT person.id, person.manager_id FROM given CROSS JOIN people AS person \
             WHERE person.manager_id = given.id AND person.organisation_id = ",
        );
        query.push_bind(scope.id());
        for (report, manager) in query
            .build_query_as::<(Uuid, Uuid)>()
            .fetch_all(&mut *session)
            .await?
        {
            reports.push((PersonId::from_uuid(report), PersonId::from_uuid(manager)));
        }
    }
    Ok(reports)
}

/// How many administrators may enter now.
pub(crate) async fn administrators(
    scope: &Scope,
    session: &mut Session,
) -> Result<u64, StorageError> {
    let people = sqlx::query_scalar::<Db, i64>(ADMINISTRATORS)
        .bind(scope.id())
        .bind(Access::Active.name())
        .fetch_one(session)
        .await?;
    count("administrators", people)
}

/// Inserts people of version 0 and updates the others where the version still
/// holds; gives back those that were stale, of whom nothing was written.
pub(crate) async fn write(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonToWrite],
) -> Result<Vec<PersonId>, StorageError> {
    let mut stale = Vec::new();
    for people in people.chunks(STAGED) {
        stale.extend(write_some(scope, &mut *session, people).await?);
    }
    Ok(stale)
}

async fn write_some(
    scope: &Scope,
    session: &mut Session,
    people: &[PersonToWrite],
) -> Result<Vec<PersonId>, StorageError> {
    let ids: Vec<PersonId> = people.iter().map(|given| given.person.id).collect();
    let stored = wrapped_keys_of(scope, &mut *session, &ids).await?;
    let (mut new, mut known) = (Vec::new(), Vec::new());
    let mut stale = BTreeSet::new();
    for given in people {
        match stored.get(&given.person.id) {
            None if given.person.version == 0 => new.push(given),
            Some(wrapped) if given.person.version > 0 => known.push((given, wrapped)),
            // There already, or erased since it was read.
            _ => {
                stale.insert(given.person.id);
            }
        }
    }
    add(scope, &mut *session, &new).await?;
    stale.extend(update(scope, session, &known).await?);
    Ok(ids.into_iter().filter(|id| stale.contains(id)).collect())
}

/// Stores people whom nobody knew, each under a key of their own.
async fn add(
    scope: &Scope,
    session: &mut Session,
    people: &[&PersonToWrite],
) -> Result<(), StorageError> {
    let now = scope.now();
    append_made(&mut *session, &NEW_PEOPLE, people, |given| {
        let id = given.person.id.uuid();
        let key = scope.new_key();
        let wrapped = scope.wrap(&key, "people.wrapped_key", &[id.as_bytes()])?;
        let mut row = vec![scope.id().into(), now.into(), now.into()];
        row.extend(cells(scope, &given.person, &key, wrapped, 1)?);
        Ok(row)
    })
    .await?;
    let keys = people.iter().map(|given| (given.person.id, &given.keys));
    keys::add_of_people(scope, session, keys).await
}

/// Updates people where the version still holds; gives back the others.
async fn update(
    scope: &Scope,
    session: &mut Session,
    people: &[(&PersonToWrite, &Vec<u8>)],
) -> Result<Vec<PersonId>, StorageError> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    stage_made(&mut *session, &PEOPLE, people, |(given, wrapped)| {
        let person = &given.person;
        let key = open_key(scope, person.id.uuid(), wrapped)?;
        let version = number("people.version", person.version)?;
        cells(scope, person, &key, (*wrapped).clone(), version)
    })
    .await?;
    let written: BTreeSet<PersonId> = sqlx::query_scalar::<Db, Uuid>(UPDATE)
        .bind(scope.id())
        .bind(scope.now())
        .fetch_all(&mut *session)
        .await?
        .into_iter()
        .map(PersonId::from_uuid)
        .collect();
    let given = || people.iter().map(|(given, _)| given);
    let of_written = given()
        .filter(|given| written.contains(&given.person.id))
        .map(|given| (given.person.id, &given.keys));
    keys::replace_of_people(scope, session, of_written).await?;
    let ids = given().map(|given| given.person.id);
    Ok(ids.filter(|id| !written.contains(id)).collect())
}

/// A person as a row of [`PEOPLE`].
fn cells(
    scope: &Scope,
    person: &Person,
    key: &Key,
    wrapped: Vec<u8>,
    version: i64,
) -> Result<Vec<Cell>, StorageError> {
    let folded = |field: Field| {
        person
            .fields
            .value(field)
            .and_then(|value| value.key_text(field))
    };
    Ok(vec![
        person.id.uuid().into(),
        to_json("people.fields", &Part(&person.fields, false))?.into(),
        seal_fields(scope, key, person)?.into(),
        wrapped.into(),
        to_json("people.owners", &Owners::of(&person.owners))?.into(),
        to_json("people.engagements", &person.engagements)?.into(),
        person.manager.map(PersonId::uuid).into(),
        person.employment.name().into(),
        person.access.name().into(),
        person
            .access_before
            .map(|access| access.name().to_owned())
            .into(),
        person
            .access_cause
            .map(|cause| cause_word(cause).to_owned())
            .into(),
        to_json("people.standing", &person.standing)?.into(),
        version.into(),
        folded(MatchKey::WorkEmail.field()).into(),
        folded(MatchKey::EmployeeNumber.field()).into(),
        i64::from(person.standing.administrator).into(),
        if person.provenance.is_empty() {
            None::<String>.into()
        } else {
            to_json("people.provenance", &person.provenance)?.into()
        },
    ])
}

/// The keys of people, opened; who is not stored is not in it.
pub(crate) async fn keys_of(
    scope: &Scope,
    session: &mut Session,
    ids: &[PersonId],
) -> Result<BTreeMap<PersonId, Key>, StorageError> {
    let wrapped: Vec<_> = wrapped_keys_of(scope, session, ids)
        .await?
        .into_iter()
        .collect();
    let opened = all_at_once(wrapped, |(id, wrapped)| {
        Ok((id, open_key(scope, id.uuid(), &wrapped)?))
    })?;
    Ok(opened.into_iter().collect())
}

/// A person's key.
pub(crate) fn open_key(scope: &Scope, person: Uuid, wrapped: &[u8]) -> Result<Key, StorageError> {
    Ok(scope.unwrap("people.wrapped_key", &[person.as_bytes()], wrapped)?)
}

async fn wrapped_keys_of(
    scope: &Scope,
    session: &mut Session,
    ids: &[PersonId],
) -> Result<BTreeMap<PersonId, Vec<u8>>, StorageError> {
    let mut keys = BTreeMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let mut query = given(ids);
        query.push(
            "SELECT person.id, person.wrapped_key FROM given \
             CROSS JOIN people AS person WHERE person.id = given.id AND person.organisation_id = ",
        );
        query.push_bind(scope.id());
        for (id, wrapped) in query
            .build_query_as::<(Uuid, Vec<u8>)>()
            .fetch_all(&mut *session)
            .await?
        {
            keys.insert(PersonId::from_uuid(id), wrapped);
        }
    }
    Ok(keys)
}

/// These people, as a table that a statement begins with.
pub(crate) fn given(ids: &[PersonId]) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new("WITH given (id) AS (");
    query.push_values(ids, |mut row, id| {
        row.push_bind(id.uuid());
    });
    query.push(") ");
    query
}

/// The sealed fields, or the others, as [`Fields`] are written.
struct Part<'a>(&'a Fields, bool);

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let said = self.0.iter();
        serialize_said(
            said.filter(|(field, _)| field.is_sealed() == self.1),
            serializer,
        )
    }
}

fn seal_fields(scope: &Scope, key: &Key, person: &Person) -> Result<Option<Vec<u8>>, StorageError> {
    if !person.fields.iter().any(|(field, _)| field.is_sealed()) {
        return Ok(None);
    }
    let sealed = Part(&person.fields, true);
    let plain = zeroize::Zeroizing::new(to_json("people.sealed", &sealed)?);
    let owner = person.id.uuid();
    Ok(Some(scope.seal(
        key,
        "people.sealed",
        &[owner.as_bytes()],
        plain.as_bytes(),
    )?))
}

const fn cause_word(cause: AccessCause) -> &'static str {
    match cause {
        AccessCause::Sync => "sync",
        AccessCause::Hand => "hand",
    }
}

fn cause(word: &str) -> Option<AccessCause> {
    [AccessCause::Sync, AccessCause::Hand]
        .into_iter()
        .find(|cause| cause_word(*cause) == word)
}

fn read(scope: &Scope, row: Row) -> Result<Person, StorageError> {
    let (
        id,
        fields,
        sealed,
        wrapped,
        owners,
        engagements,
        manager,
        employment,
        access,
        access_before,
        access_cause,
        standing,
        version,
        provenance,
    ) = row;
    let mut fields: Fields = from_json("people.fields", fields.as_bytes())?;
    if let Some(sealed) = sealed {
        let key = open_key(scope, id, &wrapped)?;
        let plain = scope.open(&key, "people.sealed", &[id.as_bytes()], &sealed)?;
        fields.overlay(from_json("people.sealed", &plain)?);
    }
    Ok(Person {
        id: PersonId::from_uuid(id),
        fields,
        owners: from_json::<Owners>("people.owners", owners.as_bytes())?.into_map(),
        engagements: from_json("people.engagements", engagements.as_bytes())?,
        manager: manager.map(PersonId::from_uuid),
        employment: word(
            "people.employment",
            EngagementStatus::from_name(&employment),
        )?,
        access: word("people.access", Access::from_name(&access))?,
        access_before: access_before
            .map(|access| word("people.access_before", Access::from_name(&access)))
            .transpose()?,
        access_cause: access_cause
            .map(|text| word("people.access_cause", cause(&text)))
            .transpose()?,
        standing: from_json("people.standing", standing.as_bytes())?,
        version: count("people.version", version)?,
        provenance: provenance
            .map(|text| from_json("people.provenance", text.as_bytes()))
            .transpose()?
            .unwrap_or_default(),
    })
}
