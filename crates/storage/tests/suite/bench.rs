//! A storage of its own for each test, on either engine.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use muster_model::id::uuid_v7;
use muster_model::{Clock, IdSource};
use muster_storage::{
    Entropy, Location, MasterKey, NewOrganisation, Organisation, Reader, Storage, Transaction,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

pub(crate) const KEY: &str = "5d0ac0ffee00000000000000000000000000000000000000000000000000beef";

/// Runs each of the tests on both engines.
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        mod sqlite {
            $($(#[$meta])* #[test] fn $name() { crate::bench::on_sqlite(super::$name); })+
        }
        mod postgres {
            $($(#[$meta])* #[test] fn $name() { crate::bench::on_postgres(super::$name); })+
        }
    };
}

/// A storage, and what it was opened with.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) storage: Storage,
    pub(crate) location: Location,
    pub(crate) clock: Arc<HandClock>,
    ids: Arc<CountingIds>,
    entropy: Arc<SeededEntropy>,
}

/// A clock that is set by hand.
pub(crate) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(crate) fn set(&self, now: &str) {
        *self.0.lock().unwrap() = now.parse().unwrap();
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Ids that count up.
#[derive(Default)]
pub(crate) struct CountingIds(AtomicU64);

impl IdSource for CountingIds {
    fn next_uuid(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        uuid_v7(1_700_000_000_000 + number, random)
    }
}

/// Bytes of a stream that is the same in every run.
#[derive(Default)]
pub(crate) struct SeededEntropy(AtomicU64);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&number.to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

impl Bench {
    async fn open(location: Location) -> Self {
        let clock = Arc::new(HandClock(Mutex::new(
            "2025-06-02T08:00:00Z".parse().unwrap(),
        )));
        let ids = Arc::new(CountingIds::default());
        let entropy = Arc::new(SeededEntropy::default());
        let key = MasterKey::from_hex(KEY).unwrap();
        let storage = Storage::open(&location, key, clock.clone(), ids.clone(), entropy.clone())
            .await
            .unwrap();
        Self {
            storage,
            location,
            clock,
            ids,
            entropy,
        }
    }

    /// The same data opened once more, as a second process would.
    pub(crate) async fn open_again(
        &self,
        key: &str,
    ) -> Result<Storage, muster_storage::StorageError> {
        let key = MasterKey::from_hex(key).unwrap();
        Storage::open(
            &self.location,
            key,
            self.clock.clone(),
            self.ids.clone(),
            self.entropy.clone(),
        )
        .await
    }

    /// What is passed in besides the key.
    pub(crate) fn passed_in(&self) -> (Arc<dyn Clock>, Arc<dyn IdSource>, Arc<dyn Entropy>) {
        (self.clock.clone(), self.ids.clone(), self.entropy.clone())
    }

    /// Other data, with the same key.
    pub(crate) async fn opened_at(&self, location: &Location) -> Storage {
        self.with_key_at(KEY, location).await
    }

    /// Other data, with a key.
    pub(crate) async fn with_key_at(&self, key: &str, location: &Location) -> Storage {
        let (clock, ids, entropy) = self.passed_in();
        let key = MasterKey::from_hex(key).unwrap();
        Storage::open(location, key, clock, ids, entropy)
            .await
            .unwrap()
    }

    pub(crate) fn ids(&self) -> &dyn IdSource {
        self.ids.as_ref()
    }

    pub(crate) async fn organisation(&self, name: &str) -> Organisation {
        let new = NewOrganisation {
            name: name.to_owned(),
            region: "NO".to_owned(),
            time_zone: "Europe/Oslo".to_owned(),
        };
        self.storage.create_organisation(new).await.unwrap()
    }

    pub(crate) async fn begin(&self, organisation: &Organisation) -> Transaction {
        self.storage.begin(organisation.id).await.unwrap()
    }

    pub(crate) async fn read(&self, organisation: &Organisation) -> Reader {
        self.storage.read(organisation.id).await.unwrap()
    }

    /// One column of bytes, past the repositories.
    pub(crate) async fn raw_bytes(&self, sql: &str) -> Vec<Vec<u8>> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.location {
            Location::Directory(path) => {
                let url = format!("sqlite://{}", path.join("muster.db").display());
                let mut raw = SqliteConnection::connect(&url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut raw).await.unwrap()
            }
            Location::Url(url) => {
                let mut raw = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut raw).await.unwrap()
            }
        }
    }

    /// One column of numbers, past the repositories.
    pub(crate) async fn raw_numbers(&self, sql: &str) -> Vec<i64> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.location {
            Location::Directory(path) => {
                let url = format!("sqlite://{}", path.join("muster.db").display());
                let mut raw = SqliteConnection::connect(&url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut raw).await.unwrap()
            }
            Location::Url(url) => {
                let mut raw = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut raw).await.unwrap()
            }
        }
    }

    /// A statement, past the repositories.
    pub(crate) async fn raw_execute(&self, sql: &str) {
        self.try_raw(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A statement that may be refused, past the repositories.
    pub(crate) async fn try_raw(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.location {
            Location::Directory(path) => {
                let url = format!("sqlite://{}", path.join("muster.db").display());
                let mut raw = SqliteConnection::connect(&url).await.unwrap();
                sqlx::query(sql).execute(&mut raw).await?;
            }
            Location::Url(url) => {
                let mut raw = PgConnection::connect(url).await.unwrap();
                sqlx::query(sql).execute(&mut raw).await?;
            }
        }
        Ok(())
    }
}

pub(crate) fn on_sqlite<F, Fut>(test: F)
where
    F: FnOnce(Bench) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Directory(directory.path().join("data"));
    runtime().block_on(async {
        let bench = Bench::open(location).await;
        let storage = bench.storage.clone();
        test(bench).await;
        storage.close().await;
    });
}

pub(crate) fn on_postgres<F, Fut>(test: F)
where
    F: FnOnce(Bench) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let Ok(server) = std::env::var("MUSTER_TEST_POSTGRES") else {
        println!("not run: PostgreSQL (MUSTER_TEST_POSTGRES is not set)");
        return;
    };
    runtime().block_on(async {
        // Of this process and of no other: tests run side by side.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("muster_test_{}_{number}", std::process::id());
        let mut admin = PgConnection::connect(&server).await.unwrap();
        // A process of the same number may have left one behind.
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let create = format!("CREATE DATABASE {name}");
        for sql in [&drop, &create] {
            sqlx::query(AssertSqlSafe(sql.clone()))
                .execute(&mut admin)
                .await
                .unwrap();
        }
        let (base, _) = server.rsplit_once('/').unwrap();
        let bench = Bench::open(Location::Url(format!("{base}/{name}"))).await;
        let storage = bench.storage.clone();
        let outcome = tokio::spawn(test(bench)).await;
        storage.close().await;
        // Dropped after a failed test as well.
        sqlx::query(AssertSqlSafe(drop))
            .execute(&mut admin)
            .await
            .unwrap();
        if let Err(error) = outcome {
            std::panic::resume_unwind(error.into_panic());
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
