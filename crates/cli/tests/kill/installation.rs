//! One installation: the real binary, a database that can be set back, and a
//! simulator in a process of its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use jiff::Timestamp;
use muster_model::{Clock, IdSource};
use muster_storage::{Entropy, Location, MasterKey, Storage};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

/// People of the company.
const PEOPLE: &str = "200";
/// How much longer each answer of the simulator takes, in milliseconds.
const DELAY: &str = "delay:12";

/// On which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

pub(crate) struct Installation {
    engine: Engine,
    binary: String,
    folder: TempDir,
    /// `postgres://…/`, without the database.
    server: String,
    /// The database's name on the server.
    name: String,
    /// Where the simulator listens, each time.
    address: String,
}

impl Installation {
    /// `None`, said aloud, when there is no server.
    pub(crate) fn new(engine: Engine) -> Option<Self> {
        let server = match (engine, std::env::var("MUSTER_TEST_POSTGRES")) {
            (Engine::Sqlite, _) => String::new(),
            (Engine::Postgres, Ok(server)) => server,
            (Engine::Postgres, Err(_)) => {
                println!("not run: PostgreSQL (MUSTER_TEST_POSTGRES is not set)");
                return None;
            }
        };
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let installation = Self {
            engine,
            // Another build of the same program, where this one is slow.
            binary: std::env::var("MUSTER_TEST_BINARY")
                .unwrap_or_else(|_| env!("CARGO_BIN_EXE_muster").to_owned()),
            folder: TempDir::new().unwrap(),
            server,
            name: format!("muster_kill_{}", std::process::id()),
            address: free.local_addr().unwrap().to_string(),
        };
        std::fs::write(
            installation.key(),
            MasterKey::generate(&Chance).to_hex().as_bytes(),
        )
        .unwrap();
        if engine == Engine::Postgres {
            installation.sql(&format!("CREATE DATABASE {}", installation.name));
        }
        Some(installation)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sql(&self, statement: &str) {
        let done = Command::new("psql")
            .args([&self.server, "--quiet", "--command", statement])
            .status()
            .expect("psql comes with PostgreSQL");
        assert!(done.success(), "{statement}");
    }

    fn url(&self) -> String {
        let (before, _) = self.server.rsplit_once('/').unwrap();
        format!("{before}/{}", self.name)
    }

    fn location(&self) -> Location {
        match self.engine {
            Engine::Sqlite => Location::Directory(self.path("data")),
            Engine::Postgres => Location::Url(self.url()),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for name in ["MUSTER_DATABASE", "MUSTER_LOG"] {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("MUSTER_KEY_FILE", self.key())
            .stdin(Stdio::null());
        match self.engine {
            Engine::Sqlite => command
                .env("MUSTER_DATA", self.path("data"))
                .env_remove("MUSTER_DATABASE"),
            Engine::Postgres => command
                .env("MUSTER_DATABASE", self.url())
                .env_remove("MUSTER_DATA"),
        };
        command
    }

    fn key(&self) -> PathBuf {
        self.path("muster.key")
    }

    /// A command that must not fail; that something waits for a person is no failure.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout)
        );
        output
    }

    /// A simulator of the company on a day; its writes are logged.
    pub(crate) fn simulator(&self, day: u32, slow: bool) -> Simulator {
        let log = self.path("writes.ndjson");
        let _ = std::fs::remove_file(&log);
        let day = day.to_string();
        let mut arguments = vec!["sandbox", "tripletex", "--people", PEOPLE, "--day", &day];
        arguments.extend([
            "--listen",
            &self.address,
            "--write-log",
            log.to_str().unwrap(),
        ]);
        if slow {
            arguments.extend(["--fault", DELAY]);
        }
        let mut child = self
            .command(&arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let first = serde_json::from_str(&line).unwrap();
        Simulator { child, first, log }
    }

    pub(crate) fn connect(&self, simulator: &Simulator) {
        let text = |pointer: &str| simulator.first.pointer(pointer).unwrap().as_str().unwrap();
        let secrets = ["consumer_token", "employee_token"].map(|name| {
            let path = self.path(name);
            std::fs::write(&path, text(&format!("/credentials/{name}"))).unwrap();
            format!("{name}=@{}", path.display())
        });
        self.run(&[
            "connect",
            "tripletex",
            "--name",
            "hr",
            "--preset",
            "provision",
            "--base-url",
            text("/base_url"),
            "--set",
            "test_identities=accept",
            "--set",
            "page_size=5",
            "--secret",
            &secrets[0],
            "--secret",
            &secrets[1],
        ]);
    }

    /// The data, opened beside the binary: nothing of it may be running.
    pub(crate) async fn open(&self) -> Storage {
        Storage::open(
            &self.location(),
            MasterKey::from_file(&self.key()).unwrap(),
            Arc::new(Wall),
            Arc::new(Ids),
            Arc::new(Chance),
        )
        .await
        .unwrap()
    }

    /// Remembers the data as they are.
    pub(crate) fn remember(&self) {
        match self.engine {
            Engine::Sqlite => copy(&self.path("data"), &self.path("remembered")),
            Engine::Postgres => {
                let name = &self.name;
                self.sql(&format!("CREATE DATABASE {name}_base TEMPLATE {name}"));
            }
        }
    }

    /// Sets the data back.
    pub(crate) fn set_back(&self) {
        match self.engine {
            Engine::Sqlite => {
                std::fs::remove_dir_all(self.path("data")).unwrap();
                copy(&self.path("remembered"), &self.path("data"));
            }
            Engine::Postgres => {
                let name = &self.name;
                self.sql(&format!("DROP DATABASE {name} WITH (FORCE)"));
                self.sql(&format!("CREATE DATABASE {name} TEMPLATE {name}_base"));
            }
        }
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if self.engine == Engine::Postgres {
            for name in [self.name.clone(), format!("{}_base", self.name)] {
                self.sql(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
        }
    }
}

/// A running simulator.
pub(crate) struct Simulator {
    child: Child,
    first: Value,
    log: PathBuf,
}

impl Simulator {
    /// What was written: path and body without its version, and how often.
    pub(crate) fn writes(&self) -> BTreeMap<String, u64> {
        let mut writes = BTreeMap::new();
        for line in std::fs::read_to_string(&self.log).unwrap().lines() {
            let mut call: Value = serde_json::from_str(line).unwrap();
            assert_eq!(call["status"], 200, "{line}");
            call["body"].as_object_mut().unwrap().remove("version");
            let what = format!("{} {} {}", call["method"], call["path"], call["body"]);
            *writes.entry(what).or_default() += 1;
        }
        writes
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The machine's clock: this harness runs beside the real binary.
pub(crate) struct Wall;

impl Clock for Wall {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct Ids;

impl IdSource for Ids {
    fn next_uuid(&self) -> Uuid {
        let mut random = [0; 10];
        Chance.fill(&mut random);
        let now = u64::try_from(Wall.now().as_millisecond()).unwrap();
        muster_model::id::uuid_v7(now, random)
    }
}

struct Chance;

impl Entropy for Chance {
    #[allow(clippy::disallowed_methods)]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }
}
