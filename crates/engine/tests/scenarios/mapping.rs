//! A connector that reads the same words another way: a plan of its own kind, of
//! which nothing goes outwards, and which no schedule applies by itself.

use std::collections::BTreeMap;

use async_trait::async_trait;
use muster_connect::connector::{Account, Confirmation};
use muster_connect::{ConnectError, Connector, ConnectorInfo, ReadRequest, RecordSink};
use muster_model::plan::Cause;
use muster_model::policy::{FirstDifference, NewReaction};
use muster_model::report::{Outcome, Trigger};
use muster_model::{
    Evidence, EvidenceLevel, ExternalId, Field, Fields, Flow, Presence, Preset, Raw, SourceRecord,
    Value,
};
use muster_storage::{OutboxState, StoredMessage};

use crate::world::{DatabaseKind, Setting, TRIPLETEX, World, rehearsal};

/// A source of four people in a vendor's own words: family name, maiden name.
struct Books {
    info: ConnectorInfo,
    account: String,
    words: BTreeMap<u64, (String, String)>,
    /// Does it hand the words over?
    tells: bool,
}

impl Books {
    /// The first version reads the family name; the second adds the maiden name.
    fn name(&self, record: u64) -> String {
        let (family, maiden) = &self.words[&record];
        if self.info.version == 1 {
            family.clone()
        } else {
            format!("{family} née {maiden}")
        }
    }
}

#[async_trait]
impl Connector for Books {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    async fn account(&self) -> Result<Account, ConnectError> {
        Ok(Account {
            id: self.account.clone(),
            name: None,
            rights: None,
        })
    }

    async fn read(
        &self,
        _: &ReadRequest,
        sink: &mut dyn RecordSink,
    ) -> Result<Evidence, ConnectError> {
        let mut records = Vec::new();
        for (id, (family, maiden)) in &self.words {
            let mut fields = Fields::new();
            fields.put(Field::GivenName, Value::text(format!("Amara{id}")));
            fields.put(Field::FamilyName, Value::text(self.name(*id)));
            fields.put(
                Field::WorkEmail,
                Value::text(format!("amara{id}@fjordlys.example")),
            );
            records.push(SourceRecord {
                external_id: ExternalId::new(id.to_string()),
                revision: None,
                presence: Presence::Present,
                whole: true,
                fields,
                problems: Vec::new(),
                raw: if self.tells {
                    Raw::of(format!("{family}|{maiden}"))
                } else {
                    Raw::default()
                },
            });
        }
        sink.records(records).await.map_err(ConnectError::from)?;
        Ok(Evidence {
            level: EvidenceLevel::Ended,
            account: Some(self.account.clone()),
            complete: true,
            pages: 1,
            read: self.words.len() as u64,
            ..Evidence::none()
        })
    }

    async fn confirm(
        &self,
        _: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, Confirmation>, ConnectError> {
        Ok(BTreeMap::new())
    }
}

/// A world whose family names flow this way, and the books it reads.
async fn firm(kind: DatabaseKind, flow: Flow, tells: bool) -> (World, Books) {
    let rehearsal = rehearsal(9, 1);
    let world = World::unconnected(Setting {
        database: kind,
        ..Setting::rehearsed(&rehearsal, 0)
    })
    .await;
    let mut wish = world.wish();
    wish.preset = Preset::Mirror;
    let mut connection = world.connect(wish).await;
    connection.policy.new = NewReaction::Create;
    connection.policy.first_difference = FirstDifference::TakeTheirs;
    connection.policy.flows.insert(Field::FamilyName, flow);
    world.set_connection(&connection).await;
    let mut info = muster_connect::catalogue()
        .iter()
        .find(|info| info.name == TRIPLETEX)
        .unwrap()
        .clone();
    info.version = 1;
    let books = Books {
        info,
        account: connection.account.unwrap(),
        words: (1..=4)
            .map(|id| (id, (format!("Hansen{id}"), "Dahl".to_owned())))
            .collect(),
        tells,
    };
    for _ in 0..2 {
        assert_eq!(sync(&world, &books, Trigger::Manual).await.0, Outcome::Ok);
        world.clock.wait(1);
    }
    (world, books)
}

async fn sync(world: &World, books: &Books, trigger: Trigger) -> (Outcome, Cause, Vec<String>) {
    let made = world
        .engine
        .sync_from(&world.organisation, TRIPLETEX, books, trigger)
        .await
        .unwrap();
    assert_eq!(made.report.error, None);
    let holds = made
        .report
        .holds
        .iter()
        .map(|hold| format!("{}: {}", hold.kind, hold.rows));
    let cause = made.planned.unwrap().plan.cause;
    (made.report.outcome, cause, holds.collect())
}

async fn family(world: &World, record: u64) -> String {
    let person = world.person(record).await;
    person.fields.text(Field::FamilyName).unwrap().to_owned()
}

async fn rename_here(world: &World, record: u64, name: &str) {
    let mut person = world.person(record).await;
    person.fields.put(Field::FamilyName, Value::text(name));
    assert_eq!(world.write(vec![person]).await.unwrap(), []);
}

async fn queued(world: &World) -> Vec<StoredMessage> {
    let mut reader = world
        .engine
        .storage()
        .read(world.organisation.id)
        .await
        .unwrap();
    // The simulator does not know these books: what becomes of a write is not asked.
    let mut queued = Vec::new();
    for state in [OutboxState::Waiting, OutboxState::Sent, OutboxState::Failed] {
        queued.extend(reader.outbox(state, 100).await.unwrap());
    }
    queued
}

#[tokio::test]
async fn a_new_mapping_changes_our_side_writes_nothing_outwards_and_hides_no_true_move() {
    for kind in DatabaseKind::all() {
        let (world, mut books) = firm(kind, Flow::Both, true).await;
        // Between the reads: a hand edit, a true move, and both at once.
        rename_here(&world, 2, "Berg").await;
        books.words.get_mut(&3).unwrap().0 = "Moen".to_owned();
        rename_here(&world, 4, "Berg").await;
        books.words.get_mut(&4).unwrap().0 = "Moen".to_owned();
        books.info.version = 2;

        let (outcome, cause, _) = sync(&world, &books, Trigger::Manual).await;
        assert_eq!((outcome, cause), (Outcome::Partial, Cause::Mapping));
        assert_eq!(family(&world, 1).await, "Hansen1 née Dahl");
        assert_eq!(family(&world, 2).await, "Berg", "ours alone moved");
        assert_eq!(family(&world, 3).await, "Moen née Dahl", "a true move");
        assert_eq!(
            family(&world, 4).await,
            "Berg",
            "both moved: somebody decides"
        );
        assert_eq!(queued(&world).await, []);

        // The next read is one like any other, also for a schedule: what a hand
        // changed goes out now.
        let (outcome, cause, holds) = sync(&world, &books, Trigger::Schedule).await;
        assert_eq!(outcome, Outcome::Partial, "the conflict is still open");
        assert_eq!((cause, holds.len()), (Cause::Read, 0));
        let outwards = queued(&world).await;
        assert_eq!(outwards.len(), 1);
        assert_eq!(outwards[0].message.body["ours"]["family_name"], "Berg");
        assert_eq!(family(&world, 2).await, "Berg");
        world.end().await;
    }
}

#[tokio::test]
async fn a_new_mapping_writes_nothing_over_what_we_own_whether_the_words_are_known_or_not() {
    for kind in DatabaseKind::all() {
        for tells in [true, false] {
            let (world, mut books) = firm(kind, Flow::Out, tells).await;
            books.info.version = 2;
            for _ in 0..2 {
                sync(&world, &books, Trigger::Manual).await;
                assert_eq!(queued(&world).await, [], "the source did not move: {tells}");
            }
            assert_eq!(family(&world, 1).await, "Hansen1");
            // What we really change goes out under the new mapping as under the old.
            rename_here(&world, 1, "Berg").await;
            sync(&world, &books, Trigger::Manual).await;
            assert_eq!(queued(&world).await.len(), 1);
            world.end().await;
        }
    }
}

#[tokio::test]
async fn no_schedule_applies_a_new_mapping_before_somebody_has_looked() {
    for kind in DatabaseKind::all() {
        let (world, mut books) = firm(kind, Flow::In, true).await;
        books.info.version = 2;
        let before = world.directory().await;
        for _ in 0..2 {
            let (outcome, cause, holds) = sync(&world, &books, Trigger::Schedule).await;
            assert_eq!((outcome, cause), (Outcome::Held, Cause::Mapping));
            assert_eq!(holds, ["mapping: 4"]);
            assert_eq!(before.differences(&world.directory().await), [""; 0]);
        }
        let (outcome, cause, _) = sync(&world, &books, Trigger::Manual).await;
        assert_eq!((outcome, cause), (Outcome::Ok, Cause::Mapping));
        assert_eq!(family(&world, 1).await, "Hansen1 née Dahl");
        books.words.get_mut(&1).unwrap().0 = "Moen".to_owned();
        let (outcome, cause, _) = sync(&world, &books, Trigger::Schedule).await;
        assert_eq!((outcome, cause), (Outcome::Ok, Cause::Read));
        assert_eq!(family(&world, 1).await, "Moen née Dahl");
        world.end().await;
    }
}
