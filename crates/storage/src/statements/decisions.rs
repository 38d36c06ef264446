//! What people decided about records.

use muster_model::{
    Answer, ConnectionId, Digest, ExternalId, Matter, PersonId, PlanId, RecordDecision,
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::bulk::stage;
use super::{Db, Session, connections};
use crate::cell::{Kind, Table};
use crate::error::StorageError;
use crate::scope::Scope;
use crate::stored::{digest, word};

/// Decisions staged, or records asked about, at once.
const STAGED: usize = 5_000;
const AT_ONCE: usize = 500;

const STAGE: Table = Table {
    name: "stage_record_decisions",
    columns: &[
        ("external_id", Kind::Text),
        ("matter", Kind::Text),
        ("answer", Kind::Text),
        ("person_id", Kind::Uuid),
        ("about", Kind::Bytes),
        ("plan_id", Kind::Uuid),
    ],
};
/// Of a plan or a person of another organisation nothing is taken.
const STORE: &str = "INSERT INTO record_decisions (organisation_id, connection_id, external_id, \
    matter, answer, person_id, about, plan_id, decided_at) \
    SELECT $1, $2, given.external_id, given.matter, given.answer, given.person_id, given.about, \
    given.plan_id, $3 FROM stage_record_decisions AS given \
    WHERE (given.plan_id IS NULL OR EXISTS (SELECT 1 FROM plans AS plan \
        WHERE plan.organisation_id = $1 AND plan.connection_id = $2 AND plan.id = given.plan_id)) \
    AND (given.person_id IS NULL OR EXISTS (SELECT 1 FROM people AS person \
        WHERE person.organisation_id = $1 AND person.id = given.person_id)) \
    ON CONFLICT (organisation_id, connection_id, external_id, matter) DO UPDATE \
    SET answer = excluded.answer, person_id = excluded.person_id, about = excluded.about, \
    plan_id = excluded.plan_id, decided_at = excluded.decided_at";
const TAKE_BACK: &str = "DELETE FROM record_decisions \
    WHERE organisation_id = $1 AND connection_id = $2 AND EXISTS ( \
        SELECT 1 FROM stage_record_decisions AS given \
        WHERE given.external_id = record_decisions.external_id \
        AND given.matter = record_decisions.matter)";

type Row = (String, String, String, Option<Uuid>, Vec<u8>, Option<Uuid>);

/// Stores decisions; an earlier one about the same matter gives way.
pub(crate) async fn store(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    decisions: &[RecordDecision],
) -> Result<(), StorageError> {
    connections::by_id(scope, &mut *session, connection).await?;
    for decisions in decisions.chunks(STAGED) {
        let rows = decisions
            .iter()
            .map(|decision| {
                vec![
                    decision.external_id.as_str().into(),
                    decision.matter.word().into(),
                    decision.answer.word().into(),
                    decision.answer.person().map(PersonId::uuid).into(),
                    decision.about.as_bytes().to_vec().into(),
                    decision.plan.map(PlanId::uuid).into(),
                ]
            })
            .collect::<Vec<_>>();
        stage(&mut *session, &STAGE, rows).await?;
        sqlx::query(STORE)
            .bind(scope.id())
            .bind(connection.uuid())
            .bind(scope.now())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

pub(crate) async fn take_back(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    matters: &[(ExternalId, Matter)],
) -> Result<(), StorageError> {
    for matters in matters.chunks(STAGED) {
        let rows = matters
            .iter()
            .map(|(id, matter)| {
                vec![
                    id.as_str().into(),
                    matter.word().into(),
                    "".into(),
                    None::<Uuid>.into(),
                    None::<Vec<u8>>.into(),
                    None::<Uuid>.into(),
                ]
            })
            .collect::<Vec<_>>();
        stage(&mut *session, &STAGE, rows).await?;
        sqlx::query(TAKE_BACK)
            .bind(scope.id())
            .bind(connection.uuid())
            .execute(&mut *session)
            .await?;
    }
    Ok(())
}

/// What was decided about these records, in the order of records and matters.
pub(crate) async fn of_records(
    scope: &Scope,
    session: &mut Session,
    connection: ConnectionId,
    ids: &[ExternalId],
) -> Result<Vec<RecordDecision>, StorageError> {
    let mut decisions = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let mut query = QueryBuilder::<Db>::new("WITH given (external_id) AS (");
        query.push_values(ids, |mut row, id| {
            row.push_bind(id.as_str());
        });
        query.push(
            ") SELECT decided.external_id, decided.matter, decided.answer, decided.person_id, \
             decided.about, decided.plan_id FROM given \
             CROSS JOIN record_decisions AS decided \
             WHERE decided.external_id = given.external_id AND decided.organisation_id = ",
        );
        query
            .push_bind(scope.id())
            .push(" AND decided.connection_id = ")
            .push_bind(connection.uuid())
            .push(" ORDER BY decided.external_id, decided.matter");
        for row in query
            .build_query_as::<Row>()
            .fetch_all(&mut *session)
            .await?
        {
            decisions.push(read(row)?);
        }
    }
    Ok(decisions)
}

fn read(row: Row) -> Result<RecordDecision, StorageError> {
    let (id, matter, answer, person, about, plan) = row;
    let about: Digest = digest("record_decisions.about", &about)?;
    let person = person.map(PersonId::from_uuid);
    Ok(RecordDecision {
        external_id: ExternalId::new(id),
        matter: word("record_decisions.matter", Matter::from_word(&matter))?,
        answer: word(
            "record_decisions.answer",
            Answer::from_word(&answer, person),
        )?,
        about,
        plan: plan.map(PlanId::from_uuid),
    })
}
