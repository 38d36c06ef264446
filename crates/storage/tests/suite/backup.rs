//! A backup holds everything, goes back whole into either engine, and opens to
//! nobody without the master key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use muster_model::report::{Outcome, Trigger};
use muster_model::values::Email;
use muster_storage::backup::{Backup, BackupError, Erased, Restore, Restored, check};
use muster_storage::{
    ChangeState, Location, MasterKey, NewToken, OutboxMessage, OutboxState, OutboxTarget, Role,
    Storage, TokenScope,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use crate::bench::{Bench, KEY};
use crate::company::{Company, LEASE, creation, external_id, record};

on_both_engines!(
    everything_goes_back_into_either_engine,
    nothing_of_anybody_can_be_read_without_the_key,
    a_broken_backup_changes_nothing,
    data_are_replaced_only_when_asked_and_who_was_erased_stays_erased,
    who_was_erased_is_erased_again_by_a_list,
    what_is_written_meanwhile_is_in_it_whole_or_not_at_all,
    the_tables_of_others_are_left_alone,
    outward_work_waits_until_a_person_confirms,
    a_backup_of_another_key_is_wrapped_anew,
);

const OTHER_KEY: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

/// An organisation with something in every table.
async fn fill(bench: &Bench) -> Company {
    let company = Company::found(bench, "Nordlys").await;
    company.snapshot((0..30).map(record).collect()).await;
    let (plan, _) = company.plan((0..3).map(creation).collect()).await;
    let people = company.people(0..20).await;
    let mut transaction = company.begin().await;
    let release = muster_model::RecordDecision {
        external_id: external_id(0),
        matter: muster_model::Matter::Match,
        answer: muster_model::Answer::Link(people[0]),
        about: company.key.digest("held", "keys"),
        plan: Some(plan),
    };
    transaction
        .store_decisions(company.id(), &[release])
        .await
        .unwrap();
    transaction
        .passed(
            company.id(),
            muster_model::policy::BrakeKind::Create,
            "2025-06-02T08:00:00Z".parse().unwrap(),
            3,
        )
        .await
        .unwrap();
    transaction
        .enqueue(&[message(people[0]), message(people[1])])
        .await
        .unwrap();
    let address = Email::parse("kari@nordlys.example").unwrap();
    transaction
        .give_access(&address, Role::Owner, LEASE)
        .await
        .unwrap();
    let token = NewToken {
        scopes: [TokenScope::PeopleRead].into(),
        connection: None,
        expires_at: None,
    };
    transaction.create_token(&token).await.unwrap();
    assert_eq!(transaction.erase_people(&people[19..]).await.unwrap(), 1);
    transaction.commit().await.unwrap();
    company
}

fn message(person: muster_model::PersonId) -> OutboxMessage {
    OutboxMessage::about(person, "mail", serde_json::json!({ "to": "somebody" }))
}

/// A place to restore into that nobody used, on either engine.
pub(crate) struct Target {
    pub(crate) location: Location,
    folder: TempDir,
    drop: Option<(String, String)>,
}

impl Target {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            location: Location::Directory(folder.path().join("data")),
            folder,
            drop: None,
        }
    }

    async fn postgres() -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let server = std::env::var("MUSTER_TEST_POSTGRES").ok()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("muster_restore_{}_{number}", std::process::id());
        let mut admin = PgConnection::connect(&server).await.unwrap();
        for sql in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ] {
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut admin)
                .await
                .unwrap();
        }
        let (base, _) = server.rsplit_once('/').unwrap();
        Some(Self {
            location: Location::Url(format!("{base}/{name}")),
            folder: tempfile::tempdir().unwrap(),
            drop: Some((server, name)),
        })
    }

    async fn both() -> Vec<Self> {
        let mut both = vec![Self::sqlite()];
        both.extend(Self::postgres().await);
        both
    }

    async fn gone(self) {
        if let Some((server, name)) = self.drop {
            let mut admin = PgConnection::connect(&server).await.unwrap();
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            sqlx::query(AssertSqlSafe(drop))
                .execute(&mut admin)
                .await
                .unwrap();
        }
        drop(self.folder);
    }
}

async fn saved(bench: &Bench, folder: &TempDir) -> (PathBuf, Backup) {
    let file = folder.path().join("backup");
    let backup = bench.storage.backup(&file, true).await.unwrap();
    (file, backup)
}

fn restore(file: &Path, location: &Location) -> Restore {
    Restore {
        file: file.to_owned(),
        location: location.clone(),
        key: MasterKey::from_hex(KEY).unwrap(),
        backup_key: None,
        replace: false,
        erased: Vec::new(),
        actor: muster_storage::Actor::CommandLine { user: Some(7) },
    }
}

async fn put_back(bench: &Bench, restore: Restore) -> Result<Restored, BackupError> {
    let (clock, ids, entropy) = bench.passed_in();
    restore.run(clock, ids, entropy).await
}

/// Everything that a repository gives of the organisation.
async fn seen(storage: &Storage, company: &Company) -> Vec<String> {
    let mut reader = storage.read(company.organisation.id).await.unwrap();
    let people = reader.people_page(None, 100).await.unwrap();
    let ids: Vec<_> = people.iter().map(|person| person.id).collect();
    let mut links = reader.links_of_people(&ids).await.unwrap();
    links.sort_by(|(_, one), (_, two)| one.external_id.cmp(&two.external_id));
    let records: Vec<_> = (0..30).map(crate::company::external_id).collect();
    let mut records = reader.records(company.id(), &records).await.unwrap();
    records.sort_by(|one, two| one.external_id.cmp(&two.external_id));
    let plan = reader.latest_plan(company.id()).await.unwrap().unwrap();
    let changes = reader
        .changes(plan.id, ChangeState::ALL, None, 100)
        .await
        .unwrap();
    vec![
        format!("{people:?}"),
        format!("{links:?}"),
        format!("{records:?}"),
        format!("{plan:?}{changes:?}"),
        format!(
            "{:?}",
            reader.outbox(OutboxState::Waiting, 100).await.unwrap()
        ),
        format!("{:?}", reader.connections().await.unwrap()),
        format!(
            "{:?}",
            reader
                .credentials(company.id())
                .await
                .unwrap()
                .unwrap()
                .expose("token")
        ),
        format!("{:?}", reader.accesses().await.unwrap()),
        format!("{:?}", reader.tokens().await.unwrap()),
        format!("{:?}", storage.erased().await.unwrap()),
    ]
}

/// The tables and their rows, past the backup.
async fn counted(bench: &Bench) -> BTreeMap<String, u64> {
    let tables = match bench.location {
        Location::Directory(_) => {
            "SELECT CAST(name AS BLOB) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        }
        Location::Url(_) => {
            "SELECT convert_to(table_name::text, 'UTF8') FROM information_schema.tables \
             WHERE table_schema = 'public'"
        }
    };
    let mut counted = BTreeMap::new();
    for table in bench.raw_bytes(tables).await {
        let table = String::from_utf8(table).unwrap();
        if table == "_sqlx_migrations" {
            continue;
        }
        let rows = bench
            .raw_numbers(&format!("SELECT count(*) FROM {table}"))
            .await[0];
        counted.insert(table, u64::try_from(rows).unwrap());
    }
    counted
}

async fn everything_goes_back_into_either_engine(bench: Bench) {
    let company = fill(&bench).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, backup) = saved(&bench, &folder).await;
    let counted = counted(&bench).await;
    assert_eq!(backup.rows, counted, "every table with all its rows");
    for table in [
        "people",
        "links",
        "record_bodies",
        "tokens",
        "account_links",
        "erased_people",
    ] {
        assert!(counted[table] > 0, "{table} is tried with something in it");
    }
    let key = MasterKey::from_hex(KEY).unwrap();
    assert_eq!(check(&file, &key).await.unwrap(), backup);
    let before = seen(&bench.storage, &company).await;
    for target in Target::both().await {
        let restored = put_back(&bench, restore(&file, &target.location))
            .await
            .unwrap();
        assert_eq!(restored.backup, backup);
        assert_eq!((restored.erased_again, restored.interrupted_runs), (0, 1));
        let there = bench.opened_at(&target.location).await;
        assert_eq!(seen(&there, &company).await, before);
        let health = there.health().await.unwrap();
        assert!(
            health.is_current() && health.faults.as_ref().is_ok_and(Vec::is_empty),
            "{health:?}"
        );

        // The run that was at work has ended, and another can begin at once.
        let mut transaction = there.begin(company.organisation.id).await.unwrap();
        let run = transaction.run(company.run.id).await.unwrap().unwrap();
        let report = run.report.unwrap();
        assert_eq!(report.outcome, Outcome::Failed);
        assert_eq!(report.error.unwrap().code, "run.interrupted");
        transaction
            .begin_run(company.id(), Trigger::Manual, LEASE)
            .await
            .unwrap();
        drop(transaction);

        // And what was restored can be saved and restored again, with the same rows.
        let again = folder.path().join("again");
        let second = there.backup(&again, true).await.unwrap();
        let mut rows = second.rows.clone();
        rows.insert("leases".to_owned(), counted["leases"]);
        // The restore itself is an entry of the audit log, with one detail.
        for table in ["audit_entries", "audit_details"] {
            assert_eq!(rows[table], counted[table] + 1, "{table}");
            rows.insert(table.to_owned(), counted[table]);
        }
        assert_eq!(rows, counted);
        there.close().await;
        target.gone().await;
    }
}

async fn nothing_of_anybody_can_be_read_without_the_key(bench: Bench) {
    fill(&bench).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = saved(&bench, &folder).await;
    let bytes = std::fs::read(&file).unwrap();
    for text in ["degård", "nordlys", "people", "SQLite", "2025", KEY] {
        let found = bytes
            .windows(text.len())
            .any(|window| window.eq_ignore_ascii_case(text.as_bytes()));
        assert!(!found, "{text:?} stands in the backup");
    }
    let key: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&KEY[at..at + 2], 16).unwrap())
        .collect();
    assert!(!bytes.windows(32).any(|window| window == key));
    let other = MasterKey::from_hex(OTHER_KEY).unwrap();
    let error = check(&file, &other).await.unwrap_err();
    assert!(error.to_string().starts_with("backup.key"), "{error}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    }
    let target = Target::sqlite();
    let wrong = Restore {
        key: other,
        ..restore(&file, &target.location)
    };
    let error = put_back(&bench, wrong).await.unwrap_err();
    assert!(error.to_string().starts_with("backup.key"), "{error}");
}

async fn a_broken_backup_changes_nothing(bench: Bench) {
    let company = fill(&bench).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = saved(&bench, &folder).await;
    let whole = std::fs::read(&file).unwrap();
    let before = seen(&bench.storage, &company).await;
    let mut broken = vec![
        (whole[..whole.len() / 2].to_vec(), "backup.damaged"),
        (whole[..whole.len() - 1].to_vec(), "backup.damaged"),
        (whole[..40].to_vec(), "backup.damaged"),
        (Vec::new(), "backup.not_one"),
        (b"PK\x03\x04 something else".to_vec(), "backup.not_one"),
    ];
    for at in [70, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 0x40;
        broken.push((changed, "backup.damaged"));
    }
    for (bytes, code) in broken {
        std::fs::write(&file, bytes).unwrap();
        let replacing = Restore {
            replace: true,
            ..restore(&file, &bench.location)
        };
        let error = put_back(&bench, replacing).await.unwrap_err();
        assert!(error.to_string().starts_with(code), "{error}");
        assert_eq!(seen(&bench.storage, &company).await, before);
    }
    let error = bench.storage.backup(&file, false).await.unwrap_err();
    assert!(error.to_string().starts_with("backup.exists"), "{error}");
}

async fn data_are_replaced_only_when_asked_and_who_was_erased_stays_erased(bench: Bench) {
    let company = fill(&bench).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = saved(&bench, &folder).await;
    let earlier = bench.storage.erased().await.unwrap();

    // After the backup: somebody is erased, somebody comes and is erased.
    let mut reader = company.read().await;
    let people = reader.people_page(None, 100).await.unwrap();
    let erased = people[3].id;
    drop(reader);
    let newcomer = company.people(25..26).await[0];
    let mut transaction = company.begin().await;
    transaction.erase_people(&[erased, newcomer]).await.unwrap();
    transaction.commit().await.unwrap();
    let list = bench.storage.erased().await.unwrap();
    assert_eq!(list.len(), earlier.len() + 2);

    let error = put_back(&bench, restore(&file, &bench.location))
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with("restore.not_empty"),
        "{error}"
    );
    let replacing = Restore {
        replace: true,
        ..restore(&file, &bench.location)
    };
    bench.clock.set("2025-06-05T08:00:00Z");
    let restored = put_back(&bench, replacing).await.unwrap();
    assert_eq!(restored.erased_again, 1);
    let storage = bench.open_again(KEY).await.unwrap();
    let mut reader = storage.read(company.organisation.id).await.unwrap();
    let left = reader.people_page(None, 100).await.unwrap();
    assert_eq!(left.len(), people.len() - 1);
    assert!(left.iter().all(|person| person.id != erased));
    // Both are still on the list, with the instants of their erasing.
    assert_eq!(storage.erased().await.unwrap(), list);
    drop(reader);
    // And neither comes back by being read again: the newcomer's record is unknown to
    // the restored data.
    let mut transaction = storage.begin(company.organisation.id).await.unwrap();
    let run = transaction
        .begin_run(company.id(), Trigger::Manual, LEASE)
        .await
        .unwrap();
    let snapshot = transaction
        .begin_snapshot(company.id(), run.id)
        .await
        .unwrap();
    let records: Vec<_> = (25..27)
        .map(|number| crate::company::to_store(record(number), &company.key))
        .collect();
    let stored = transaction
        .store_records(company.id(), snapshot, &records)
        .await
        .unwrap();
    assert_eq!(stored.erased, [crate::company::external_id(25)]);
    drop(transaction);
    storage.close().await;
}

async fn who_was_erased_is_erased_again_by_a_list(bench: Bench) {
    let company = fill(&bench).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = saved(&bench, &folder).await;
    let people = company.read().await.people_page(None, 3).await.unwrap();
    let gone = Erased {
        organisation: company.organisation.id,
        person: people[1].id,
        at: "2025-06-03T08:00:00Z".parse().unwrap(),
    };
    let list = folder.path().join("erased.csv");
    Erased::write(&[gone], &list, false).unwrap();
    let erased = Erased::from_csv(&std::fs::read_to_string(&list).unwrap()).unwrap();
    for target in Target::both().await {
        let with_list = Restore {
            erased: erased.clone(),
            ..restore(&file, &target.location)
        };
        let restored = put_back(&bench, with_list).await.unwrap();
        assert_eq!(restored.erased_again, 1);
        let there = bench.opened_at(&target.location).await;
        let mut reader = there.read(company.organisation.id).await.unwrap();
        assert_eq!(reader.people(&[gone.person]).await.unwrap(), []);
        assert!(there.erased().await.unwrap().contains(&gone));
        drop(reader);
        there.close().await;
        target.gone().await;
    }
}

async fn what_is_written_meanwhile_is_in_it_whole_or_not_at_all(bench: Bench) {
    let company = fill(&bench).await;
    let folder = tempfile::tempdir().unwrap();
    // Each transaction writes a person with one link and three keys.
    let writing = {
        let company = Company {
            bench: bench.clone(),
            organisation: company.organisation.clone(),
            key: company.key.clone(),
            connection: company.connection.clone(),
            run: company.run.clone(),
        };
        tokio::spawn(async move {
            for number in 100..180 {
                company.people(number..number + 1).await;
            }
        })
    };
    let mut seen = Vec::new();
    while !writing.is_finished() {
        let (_, backup) = saved(&bench, &folder).await;
        let people = backup.rows["people"];
        assert_eq!(backup.rows["links"], people);
        assert_eq!(backup.rows["person_keys"], 3 * people);
        seen.push(people);
    }
    writing.await.unwrap();
    assert!(seen.is_sorted());
    assert!(
        seen.iter().any(|people| *people < 99),
        "none saw the middle: {seen:?}"
    );
}

async fn the_tables_of_others_are_left_alone(bench: Bench) {
    fill(&bench).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = saved(&bench, &folder).await;
    for target in Target::both().await {
        execute(&target.location, "CREATE TABLE theirs (content TEXT)").await;
        for replace in [false, true] {
            let restore = Restore {
                replace,
                ..restore(&file, &target.location)
            };
            let error = put_back(&bench, restore).await.unwrap_err();
            assert!(error.to_string().starts_with("restore.foreign"), "{error}");
        }
        execute(
            &target.location,
            "INSERT INTO theirs VALUES ('is there still')",
        )
        .await;
        target.gone().await;
    }
}

/// A statement in a database that may not be there yet.
async fn execute(location: &Location, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    match location {
        Location::Directory(path) => {
            std::fs::create_dir_all(path).unwrap();
            let url = format!("sqlite://{}?mode=rwc", path.join("muster.db").display());
            let mut raw = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::query(sql).execute(&mut raw).await.unwrap();
        }
        Location::Url(url) => {
            let mut raw = PgConnection::connect(url).await.unwrap();
            sqlx::query(sql).execute(&mut raw).await.unwrap();
        }
    }
}

async fn outward_work_waits_until_a_person_confirms(bench: Bench) {
    let company = fill(&bench).await;
    assert!(
        !bench
            .storage
            .installation()
            .await
            .unwrap()
            .outward_work_waits()
    );
    let error = bench.storage.confirm_restore(true).await.unwrap_err();
    assert!(
        error.to_string().starts_with("restore.nothing_to_confirm"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let person = company.read().await.people_page(None, 1).await.unwrap()[0].id;
    let write = message(person).to(OutboxTarget {
        connection: company.id(),
        external_id: crate::company::external_id(0),
        field: muster_model::Field::Phone,
    });
    let mut transaction = company.begin().await;
    transaction.enqueue(&[write]).await.unwrap();
    transaction.commit().await.unwrap();
    let (file, _) = saved(&bench, &folder).await;
    for (cancel, left) in [(true, 1), (false, 4)] {
        let target = Target::sqlite();
        bench.clock.set("2025-06-03T08:00:00Z");
        let restored = put_back(&bench, restore(&file, &target.location))
            .await
            .unwrap();
        assert_eq!(restored.waiting_messages, 3);
        let there = bench.opened_at(&target.location).await;
        assert!(there.installation().await.unwrap().outward_work_waits());
        // What is queued after the restore is wanted, whatever becomes of the rest.
        bench.clock.set("2025-06-03T09:00:00Z");
        let mut transaction = there.begin(company.organisation.id).await.unwrap();
        let people = transaction.people_page(None, 1).await.unwrap();
        transaction.enqueue(&[message(people[0].id)]).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(claimed(&there, &company).await, 0, "nobody sends yet");
        assert_eq!(there.confirm_restore(cancel).await.unwrap(), 4 - left);
        let installation = there.installation().await.unwrap();
        assert!(!installation.outward_work_waits());
        assert_eq!(installation.restored_from, Some(restored.backup.made_at));
        let mut reader = there.read(company.organisation.id).await.unwrap();
        let waiting = reader.outbox(OutboxState::Waiting, 10).await.unwrap();
        assert_eq!(waiting.len() as u64, left);
        drop(reader);
        assert_eq!(claimed(&there, &company).await, usize::from(!cancel));
        assert!(there.confirm_restore(cancel).await.is_err());
        there.close().await;
    }
}

/// How many writes a sender gets.
async fn claimed(storage: &Storage, company: &Company) -> usize {
    let sender = muster_model::RunId::new(company.bench.ids());
    let mut transaction = storage.begin(company.organisation.id).await.unwrap();
    let claimed = transaction
        .claim_outbox(company.id(), sender, jiff::Timestamp::MAX, 10, LEASE)
        .await
        .unwrap();
    claimed.len()
}

async fn a_backup_of_another_key_is_wrapped_anew(bench: Bench) {
    let company = fill(&bench).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = saved(&bench, &folder).await;
    let before = seen(&bench.storage, &company).await;
    for target in Target::both().await {
        let anew = Restore {
            key: MasterKey::from_hex(OTHER_KEY).unwrap(),
            backup_key: Some(MasterKey::from_hex(KEY).unwrap()),
            ..restore(&file, &target.location)
        };
        put_back(&bench, anew).await.unwrap();
        let there = bench.with_key_at(OTHER_KEY, &target.location).await;
        assert_eq!(seen(&there, &company).await, before);
        let earlier = bench.opened_at(&target.location).await;
        let error = earlier.organisations().await.unwrap_err();
        assert_eq!(error.code(), "key.wrong");
        there.close().await;
        earlier.close().await;
        target.gone().await;
    }
}
