//! The rows of plans, each sealed with the key of the human it is about.

use std::collections::BTreeMap;

use muster_model::plan::Planned;
use muster_model::{Change, ConnectionId, Effect, ExternalId, PersonId, PlanId, RunId};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::bulk::{append_made, stage};
use super::{Db, Session, people};
use crate::audit::{Leaf, change_leaf};
use crate::cell::{Kind, Table};
use crate::cores::all_at_once;
use crate::error::StorageError;
use crate::plan::{ChangeMark, ChangeState, DoneBy, PlannedRow, StoredChange};
use crate::scope::Scope;
use crate::seal::Key;
use crate::stored::{count, damaged, from_json, number, to_json, word};

/// Rows written, or keys asked for, at once.
const STAGED: usize = 5_000;
const AT_ONCE: usize = 500;

const ROWS: Table = Table {
    name: "plan_rows",
    columns: &[
        ("organisation_id", Kind::Uuid),
        ("plan_id", Kind::Uuid),
        ("ordinal", Kind::Number),
        ("external_id", Kind::Text),
        ("person_id", Kind::Uuid),
        ("situation", Kind::Text),
        ("reaction", Kind::Text),
        ("sealed_person_id", Kind::Uuid),
        ("sealed", Kind::Bytes),
        ("state", Kind::Text),
    ],
};
const MARKS: Table = Table {
    name: "stage_change_marks",
    columns: &[
        ("ordinal", Kind::Number),
        ("state", Kind::Text),
        ("error_code", Kind::Text),
        ("person_id", Kind::Uuid),
        ("done_by", Kind::Text),
        ("done_as", Kind::Bytes),
    ],
};
const MARK: &str = "UPDATE plan_rows SET state = given.state, error_code = given.error_code, \
    person_id = COALESCE(given.person_id, plan_rows.person_id), \
    done_by = CASE WHEN given.done_by IS NULL THEN plan_rows.done_by \
        ELSE COALESCE(plan_rows.done_by || ' ', '') || given.done_by END, \
    done_as = COALESCE(given.done_as, plan_rows.done_as) \
    FROM stage_change_marks AS given WHERE plan_rows.organisation_id = $1 \
    AND plan_rows.plan_id = $2 AND plan_rows.ordinal IN (SELECT ordinal FROM stage_change_marks) \
    AND plan_rows.ordinal = given.ordinal \
    RETURNING plan_rows.ordinal, plan_rows.state, plan_rows.error_code, plan_rows.person_id, \
    plan_rows.sealed";
/// Rows with the key that each was sealed with; which rows is said behind it.
const ROWS_OF_ORGANISATION: &str = "SELECT held.ordinal, held.person_id, held.sealed_person_id, held.sealed, held.state, \
         held.error_code, plan.connection_id, held.external_id, person.wrapped_key, \
         body.wrapped_key, held.done_by, held.done_as FROM plan_rows AS held \
         JOIN plans AS plan ON plan.organisation_id = held.organisation_id \
         AND plan.id = held.plan_id \
         LEFT JOIN people AS person ON person.organisation_id = held.organisation_id \
         AND person.id = held.sealed_person_id \
         LEFT JOIN record_bodies AS body ON body.organisation_id = held.organisation_id \
         AND body.connection_id = plan.connection_id AND body.external_id = held.external_id \
         WHERE held.organisation_id = ";
const STATES: &str = "SELECT state, count(*) FROM plan_rows \
    WHERE organisation_id = $1 AND plan_id = $2 GROUP BY state";

const OF_RECORD: &str = "SELECT held.plan_id, held.ordinal FROM plan_rows AS held \
    JOIN plans AS plan ON plan.organisation_id = held.organisation_id \
    AND plan.id = held.plan_id \
    WHERE held.organisation_id = $1 AND plan.connection_id = $2 AND held.external_id = $3 \
    ORDER BY plan.made_at DESC, plan.id DESC, held.ordinal LIMIT $4";

/// A row as it was marked: place, state, error code, person, what is sealed.
type Marked = (i64, String, Option<String>, Option<Uuid>, Option<Vec<u8>>);
type Row = (
    i64,
    Option<Uuid>,
    Option<Uuid>,
    Option<Vec<u8>>,
    String,
    Option<String>,
    Uuid,
    Option<String>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<String>,
    Option<Vec<u8>>,
);
/// What runs did of a row as somebody decided it.
type DoneAs = Vec<(RunId, Vec<Planned>)>;

/// Stores rows of a plan from a place on, held ones as held and the others as open.
pub(crate) async fn add(
    scope: &Scope,
    session: &mut Session,
    id: PlanId,
    connection: ConnectionId,
    first: u64,
    changes: &[Change],
) -> Result<(), StorageError> {
    let mut ordinal = first;
    for changes in changes.chunks(STAGED) {
        let ids: Vec<PersonId> = changes.iter().filter_map(|change| change.person).collect();
        let of_people = people::keys_of(scope, &mut *session, &ids).await?;
        let ids: Vec<&str> = changes
            .iter()
            .filter(|change| {
                goes(change)
                    || change
                        .person
                        .is_none_or(|person| !of_people.contains_key(&person))
            })
            .filter_map(|change| change.external_id.as_ref())
            .map(ExternalId::as_str)
            .collect();
        let of_records = record_keys(scope, &mut *session, connection, &ids).await?;
        // A row that nobody's key can seal is told before anything is written.
        let mut placed = Vec::with_capacity(changes.len());
        for (ordinal, change) in (ordinal..).zip(changes) {
            // Whoever goes takes their key along: the row outlives it.
            let of_person = change
                .person
                .filter(|_| !goes(change))
                .and_then(|id| of_people.get(&id).map(|key| (id, key)));
            let (person, key) = match of_person {
                Some((person, key)) => (Some(person.uuid()), key),
                None => {
                    let id = change.external_id.as_ref().map_or("", ExternalId::as_str);
                    let key = of_records.get(id);
                    (None, key.ok_or(StorageError::RowWithoutOwner { ordinal })?)
                }
            };
            placed.push((ordinal, change, person, key));
        }
        ordinal += changes.len() as u64;
        append_made(&mut *session, &ROWS, &placed, |placed| {
            let (ordinal, change, sealed_person, key) = *placed;
            let plain = zeroize::Zeroizing::new(to_json("plan_rows.sealed", change)?);
            let place = number("plan_rows.ordinal", ordinal)?;
            let (plan_id, bytes) = (id.uuid(), place.to_le_bytes());
            let owner = [plan_id.as_bytes().as_slice(), bytes.as_slice()];
            let held = change.effects.iter().any(|planned| planned.held.is_some());
            let state = if held {
                ChangeState::Held
            } else {
                ChangeState::Open
            };
            Ok(vec![
                scope.id().into(),
                id.uuid().into(),
                place.into(),
                change
                    .external_id
                    .as_ref()
                    .map(|id| id.as_str().to_owned())
                    .into(),
                change.person.map(PersonId::uuid).into(),
                change.situation.word().into(),
                change.reaction.word().into(),
                sealed_person.into(),
                scope
                    .seal(key, "plan_rows.sealed", &owner, plain.as_bytes())?
                    .into(),
                state.word().into(),
            ])
        })
        .await?;
    }
    Ok(())
}

/// The rows at these places, in their order.
pub(crate) async fn at(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
    ordinals: &[u64],
) -> Result<Vec<StoredChange>, StorageError> {
    let rows = rows_at(scope, session, plan, ordinals).await?;
    let mut changes = all_at_once(rows, |row| Ok(read(scope, plan, row)?.0))?;
    let places: BTreeMap<u64, usize> = ordinals
        .iter()
        .enumerate()
        .map(|(place, ordinal)| (*ordinal, place))
        .collect();
    changes.sort_by_key(|change| places.get(&change.ordinal).copied());
    Ok(changes)
}

/// The stored rows at these places, in no order.
async fn rows_at(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
    ordinals: &[u64],
) -> Result<Vec<Row>, StorageError> {
    let mut rows = Vec::with_capacity(ordinals.len());
    for ordinals in ordinals.chunks(AT_ONCE) {
        // A list, and no join with one: nobody has counted the rows of a plan that was
        // just made, and a server that takes them for one would go through them all for
        // each place.
        let mut query = QueryBuilder::<Db>::new(ROWS_OF_ORGANISATION);
        query
            .push_bind(scope.id())
            .push(" AND held.plan_id = ")
            .push_bind(plan.uuid())
            .push(" AND held.ordinal IN (");
        let mut list = query.separated(", ");
        for ordinal in ordinals {
            list.push_bind(number("plan_rows.ordinal", *ordinal)?);
        }
        query.push(")");
        rows.extend(
            query
                .build_query_as::<Row>()
                .fetch_all(&mut *session)
                .await?,
        );
    }
    Ok(rows)
}

/// Rows in these states, by their place in the plan.
pub(crate) async fn page(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
    states: &[ChangeState],
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<StoredChange>, StorageError> {
    if states.is_empty() {
        return Ok(Vec::new());
    }
    let after = after.map_or(Ok(-1), |ordinal| number("plan_rows.ordinal", ordinal))?;
    let mut query = QueryBuilder::<Db>::new(ROWS_OF_ORGANISATION);
    query
        .push_bind(scope.id())
        .push(" AND held.plan_id = ")
        .push_bind(plan.uuid())
        .push(" AND held.ordinal > ")
        .push_bind(after)
        .push(" AND held.state IN (");
    let mut list = query.separated(", ");
    for state in states {
        list.push_bind(state.word());
    }
    query
        .push(") ORDER BY held.ordinal LIMIT ")
        .push_bind(i64::from(limit));
    let rows = query.build_query_as::<Row>().fetch_all(session).await?;
    all_at_once(rows, |row| Ok(read(scope, plan, row)?.0))
}

/// How many rows stand in each state.
pub(crate) async fn states(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
) -> Result<BTreeMap<ChangeState, u64>, StorageError> {
    sqlx::query_as::<Db, (String, i64)>(STATES)
        .bind(scope.id())
        .bind(plan.uuid())
        .fetch_all(session)
        .await?
        .into_iter()
        .map(|(state, rows)| {
            let state = word("plan_rows.state", ChangeState::from_word(&state))?;
            Ok((state, count("rows of a plan", rows)?))
        })
        .collect()
}

/// Says what became of rows; gives back what the audit log enters of them.
pub(crate) async fn mark(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
    marks: &[ChangeMark],
) -> Result<Vec<Leaf>, StorageError> {
    let mut leaves = Vec::with_capacity(marks.len());
    for marks in marks.chunks(STAGED) {
        let mut done_as = decided(scope, &mut *session, plan, marks).await?;
        let mut rows = Vec::with_capacity(marks.len());
        for mark in marks {
            rows.push(vec![
                number("plan_rows.ordinal", mark.ordinal)?.into(),
                mark.state.word().into(),
                mark.error_code.clone().into(),
                mark.person.map(PersonId::uuid).into(),
                mark.done_by.as_ref().map(DoneBy::text).into(),
                done_as.remove(&mark.ordinal).into(),
            ]);
        }
        stage(&mut *session, &MARKS, rows).await?;
        for (ordinal, state, error_code, person, sealed) in sqlx::query_as::<Db, Marked>(MARK)
            .bind(scope.id())
            .bind(plan.uuid())
            .fetch_all(&mut *session)
            .await?
        {
            leaves.push(Leaf {
                place: u32::try_from(ordinal).map_err(|_| StorageError::Number {
                    what: "plan_rows.ordinal",
                    number: ordinal.unsigned_abs(),
                })?,
                digest: change_leaf(
                    &scope.index_key,
                    plan,
                    ordinal,
                    &state,
                    error_code.as_deref(),
                    person,
                    sealed.as_deref(),
                ),
            });
        }
    }
    Ok(leaves)
}

/// What was done of rows as somebody decided them, sealed beside them, behind what
/// earlier runs did so.
async fn decided(
    scope: &Scope,
    session: &mut Session,
    plan: PlanId,
    marks: &[ChangeMark],
) -> Result<BTreeMap<u64, Vec<u8>>, StorageError> {
    let given: BTreeMap<u64, &DoneBy> = marks
        .iter()
        .filter_map(|mark| Some((mark.ordinal, mark.done_by.as_ref()?)))
        .filter(|(_, done)| !done.effects.is_empty())
        .collect();
    let places: Vec<u64> = given.keys().copied().collect();
    let mut sealed = BTreeMap::new();
    for row in rows_at(scope, session, plan, &places).await? {
        let (stored, key) = read(scope, plan, row)?;
        // Of an erased row nothing more is kept.
        let (Some(now), Some(key)) = (given.get(&stored.ordinal), key) else {
            continue;
        };
        let mut done: DoneAs = stored
            .done_by
            .into_iter()
            .filter(|done| !done.effects.is_empty())
            .map(|done| (done.run, done.effects))
            .collect();
        done.push((now.run, now.effects.clone()));
        let plain = zeroize::Zeroizing::new(to_json("plan_rows.done_as", &done)?);
        let place = number("plan_rows.ordinal", stored.ordinal)?.to_le_bytes();
        let id = plan.uuid();
        let owner = [id.as_bytes().as_slice(), place.as_slice()];
        let bytes = scope.seal(&key, "plan_rows.done_as", &owner, plain.as_bytes())?;
        sealed.insert(stored.ordinal, bytes);
    }
    Ok(sealed)
}

/// Does the row remove its person?
fn goes(change: &Change) -> bool {
    change
        .effects
        .iter()
        .any(|planned| matches!(planned.effect, Effect::Remove { .. }))
}

/// The newest rows about a record, newest first.
pub(crate) async fn of_record(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    record: &ExternalId,
    limit: u32,
) -> Result<Vec<PlannedRow>, StorageError> {
    let places = sqlx::query_as::<Db, (Uuid, i64)>(OF_RECORD)
        .bind(scope.id())
        .bind(connection.uuid())
        .bind(record.as_str())
        .bind(i64::from(limit))
        .fetch_all(&mut *session)
        .await?;
    let mut rows = Vec::with_capacity(places.len());
    for (plan, ordinal) in places {
        let plan = PlanId::from_uuid(plan);
        let ordinal = count("plan_rows.ordinal", ordinal)?;
        let before = ordinal.checked_sub(1);
        let page = page(scope, &mut *session, plan, ChangeState::ALL, before, 1).await?;
        rows.extend(page.into_iter().map(|row| PlannedRow { plan, row }));
    }
    Ok(rows)
}

async fn record_keys(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[&str],
) -> Result<BTreeMap<String, Key>, StorageError> {
    let mut keys = BTreeMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new("WITH given (external_id) AS (");
        query.push_values(ids, |mut row, id| {
            row.push_bind(*id);
        });
        query.push(
            ") SELECT body.external_id, body.wrapped_key FROM given \
             CROSS JOIN record_bodies AS body \
             WHERE body.external_id = given.external_id AND body.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND body.connection_id = ")
            .push_bind(connection.uuid());
        let wrapped = query
            .build_query_as::<(String, Vec<u8>)>()
            .fetch_all(&mut *session)
            .await?;
        keys.extend(all_at_once(wrapped, |(id, wrapped)| {
            let key = open_record_key(scope, connection.uuid(), &id, &wrapped)?;
            Ok((id, key))
        })?);
    }
    Ok(keys)
}

fn open_record_key(
    scope: &Scope,
    connection: Uuid,
    id: &str,
    wrapped: &[u8],
) -> Result<Key, StorageError> {
    let owner = [connection.as_bytes().as_slice(), id.as_bytes()];
    Ok(scope.unwrap("record_bodies.wrapped_key", &owner, wrapped)?)
}

/// A row, and the key that it is sealed with.
fn read(
    scope: &Scope,
    plan: PlanId,
    row: Row,
) -> Result<(StoredChange, Option<Key>), StorageError> {
    let (
        ordinal,
        person,
        sealed_person,
        sealed,
        state,
        error_code,
        connection,
        external_id,
        person_key,
        record_key,
        done_by,
        done_as,
    ) = row;
    let mut done_by = word(
        "plan_rows.done_by",
        DoneBy::all(done_by.as_deref().unwrap_or_default()),
    )?;
    let (change, key) = match sealed {
        None => (None, None),
        Some(sealed) => {
            let lost = || {
                damaged(
                    "plan_rows.sealed",
                    "the key it was sealed with is not stored",
                )
            };
            let key = match sealed_person {
                Some(person) => people::open_key(scope, person, &person_key.ok_or_else(lost)?)?,
                None => {
                    let (id, wrapped) = external_id.zip(record_key).ok_or_else(lost)?;
                    open_record_key(scope, connection, &id, &wrapped)?
                }
            };
            let plan = plan.uuid();
            let place = ordinal.to_le_bytes();
            let owner = [plan.as_bytes().as_slice(), place.as_slice()];
            let plain = scope.open(&key, "plan_rows.sealed", &owner, &sealed)?;
            if let Some(done_as) = done_as {
                let plain = scope.open(&key, "plan_rows.done_as", &owner, &done_as)?;
                for (run, effects) in from_json::<DoneAs>("plan_rows.done_as", &plain)? {
                    if let Some(done) = done_by.iter_mut().find(|done| done.run == run) {
                        done.effects = effects;
                    }
                }
            }
            let change = from_json::<Change>("plan_rows.sealed", &plain)?;
            (Some(change), Some(key))
        }
    };
    let change = StoredChange {
        ordinal: count("plan_rows.ordinal", ordinal)?,
        change,
        person: person.map(PersonId::from_uuid),
        state: word("plan_rows.state", ChangeState::from_word(&state))?,
        error_code,
        done_by,
    };
    Ok((change, key))
}
