//! The real binary with a database and folder of its own.

#![allow(dead_code, reason = "each test takes what it needs of it")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;

/// On which engine.
#[derive(Debug)]
pub(crate) enum Database {
    /// The embedded one.
    Sqlite,
    /// A database of its own on the server of `MUSTER_TEST_POSTGRES`.
    Postgres(String),
}

impl Database {
    /// A new database on the test server; `None`, said aloud, when there is no server.
    pub(crate) fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("MUSTER_TEST_POSTGRES") else {
            println!("not run: PostgreSQL (MUSTER_TEST_POSTGRES is not set)");
            return None;
        };
        // Of this process and of no other, and as many as it wants.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("muster_cli_{}_{number}", std::process::id());
        let made = Command::new("psql")
            .args([
                &server,
                "--quiet",
                "--command",
                &format!("CREATE DATABASE {name}"),
            ])
            .status()
            .expect("psql comes with PostgreSQL");
        assert!(made.success());
        let (address, _) = server.rsplit_once('/').unwrap();
        Some(Self::Postgres(format!("{address}/{name}")))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let (Self::Postgres(url), Ok(server)) = (self, std::env::var("MUSTER_TEST_POSTGRES"))
            && let Some((_, name)) = url.rsplit_once('/')
        {
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            let _ = Command::new("psql")
                .args([&server, "--quiet", "--command", &drop])
                .status();
        }
    }
}

/// What the server answers, as text.
fn psql(url: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args([
            url,
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--command",
            sql,
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What a command printed, and how it ended.
pub(crate) struct Output {
    pub(crate) data: String,
    pub(crate) words: String,
    pub(crate) code: i32,
}

/// What `rehearse` wrote of the first thirty days.
pub(crate) struct Books {
    pub(crate) records: u64,
    pub(crate) joiners: u64,
    pub(crate) leavers: u64,
}

/// The binary.
pub(crate) struct Muster {
    folder: TempDir,
    database: Database,
}

impl Muster {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            database,
        }
    }

    /// Where the master key is.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.path().join("muster/muster.key")
    }

    /// The binary, with its folder and database.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        for name in [
            "MUSTER_DATA",
            "MUSTER_DATABASE",
            "MUSTER_KEY_FILE",
            "MUSTER_LOG",
        ] {
            command.env_remove(name);
        }
        command
            .env("XDG_DATA_HOME", self.folder.path())
            .env("TMPDIR", self.folder.path());
        if let Database::Postgres(url) = &self.database {
            command.env("MUSTER_DATABASE", url);
        }
        command.stdin(Stdio::null());
        command
    }

    /// On which engine.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The bytes of the database's files, each with its name: of the embedded one
    /// its folder without the key, of PostgreSQL every table, index and catalogue
    /// of this database (its log of writes is shared with other databases).
    pub(crate) fn database_files(&self) -> Vec<(String, Vec<u8>)> {
        match &self.database {
            Database::Sqlite => {
                let Ok(folder) = std::fs::read_dir(self.folder.path().join("muster")) else {
                    return Vec::new();
                };
                folder
                    .map(|entry| entry.unwrap())
                    .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
                    .filter(|(name, _)| name.starts_with("muster.db"))
                    // It may be taken away between the two looks.
                    .filter_map(|(name, path)| Some((name, std::fs::read(path).ok()?)))
                    .collect()
            }
            Database::Postgres(url) => {
                let sql = "CHECKPOINT; SELECT relname || ' ' || encode(pg_read_binary_file(\
                     pg_relation_filepath(oid)), 'hex') FROM pg_class \
                     WHERE pg_relation_filepath(oid) LIKE 'base/%' \
                     AND relpersistence = 'p' AND relkind IN ('r', 'i', 't')";
                let output = Command::new("psql")
                    .args([
                        url,
                        "--quiet",
                        "--tuples-only",
                        "--no-align",
                        "--command",
                        sql,
                    ])
                    .output()
                    .unwrap();
                assert!(
                    output.status.success(),
                    "{}",
                    String::from_utf8_lossy(&output.stderr)
                );
                let files: Vec<(String, Vec<u8>)> = String::from_utf8(output.stdout)
                    .unwrap()
                    .lines()
                    .filter_map(|line| line.split_once(' '))
                    .map(|(name, hex)| {
                        let bytes = hex
                            .as_bytes()
                            .chunks(2)
                            .map(|pair| {
                                u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()
                            })
                            .collect();
                        (format!("the files of {name}"), bytes)
                    })
                    .collect();
                assert!(files.len() > 50, "{}", files.len());
                files
            }
        }
    }

    /// Where PostgreSQL's log of writes is at now; the embedded database has its own
    /// among its files.
    pub(crate) fn log_position(&self) -> Option<String> {
        let Database::Postgres(url) = &self.database else {
            return None;
        };
        Some(psql(
            url,
            "SELECT pg_walfile_name(pg_current_wal_insert_lsn())",
        ))
    }

    /// The log of writes of PostgreSQL from a file of it on, as bytes. The server
    /// keeps one for all its databases.
    pub(crate) fn log_of_writes(&self, since: Option<&str>) -> Vec<(String, Vec<u8>)> {
        let (Database::Postgres(url), Some(since)) = (&self.database, since) else {
            return Vec::new();
        };
        // What is still in memory comes first.
        psql(url, "CHECKPOINT");
        let names = psql(
            url,
            &format!(
                "SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{{24}}$' \
                 AND name >= '{since}' \
                 AND name <= pg_walfile_name(pg_current_wal_insert_lsn()) ORDER BY name"
            ),
        );
        let files: Vec<(String, Vec<u8>)> = names
            .lines()
            .map(|name| {
                let sql = format!(
                    "COPY (SELECT pg_read_binary_file('pg_wal/{name}', 0, 33554432, true)) \
                     TO STDOUT (FORMAT binary)"
                );
                let output = Command::new("psql")
                    .args([url, "--quiet", "--command", &sql])
                    .output()
                    .unwrap();
                assert!(output.status.success());
                (format!("the log of writes {name}"), output.stdout)
            })
            .collect();
        assert!(!files.is_empty());
        files
    }

    /// Runs a command at trace level, which may end with 0 or 3, and looks at the
    /// files of the embedded database all the while, its log of writes above all.
    pub(crate) fn while_running<S: AsRef<str>>(&self, arguments: &[S]) -> Vec<(String, Vec<u8>)> {
        let mut command = self.command();
        command.env("MUSTER_LOG", "trace");
        let words = self.folder.path().join("words-while-running");
        let data = self.folder.path().join("data-while-running");
        let mut child = command
            .args(arguments.iter().map(AsRef::as_ref))
            .stdout(std::fs::File::create(&data).unwrap())
            .stderr(std::fs::File::create(&words).unwrap())
            .spawn()
            .unwrap();
        let mut seen = Vec::new();
        let mut largest = 0;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if matches!(self.database, Database::Sqlite) {
                let log = self.folder.path().join("muster/muster.db-wal");
                let size = std::fs::metadata(&log).map_or(0, |file| file.len());
                if size > largest {
                    largest = size;
                    seen.extend(self.database_files());
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        for (name, path) in [("standard error", words), ("standard output", data)] {
            seen.push((name.to_owned(), std::fs::read(path).unwrap()));
        }
        assert!(matches!(status.code(), Some(0 | 3)), "{status}");
        seen
    }

    /// Lets the database take samples of its values, as it does by itself in time.
    pub(crate) fn analyse(&self) {
        if let Database::Postgres(url) = &self.database {
            let done = Command::new("psql")
                .args([url, "--quiet", "--command", "ANALYZE"])
                .status()
                .unwrap();
            assert!(done.success());
        }
    }

    /// Does something to the database behind the program's back.
    pub(crate) fn sql(&self, sql: &str) {
        match &self.database {
            Database::Sqlite => {
                let file = self.key_file().with_file_name("muster.db");
                let address = format!("sqlite://{}", file.display());
                let done = async {
                    let mut raw = sqlx::SqliteConnection::connect(&address).await?;
                    sqlx::query(AssertSqlSafe(sql.to_owned()))
                        .execute(&mut raw)
                        .await?;
                    raw.close().await
                };
                let runtime = tokio::runtime::Runtime::new().unwrap();
                runtime.block_on(done).unwrap();
            }
            Database::Postgres(url) => {
                psql(url, sql);
            }
        }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Was a database made?
    pub(crate) fn has_data(&self) -> bool {
        self.folder.path().join("muster").exists()
    }

    pub(crate) fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Output {
        Self::output(self.command(), arguments)
    }

    /// With everything that is traced on standard error.
    pub(crate) fn run_traced<S: AsRef<str>>(&self, arguments: &[S]) -> Output {
        let mut command = self.command();
        command.env("MUSTER_LOG", "trace");
        Self::output(command, arguments)
    }

    fn output<S: AsRef<str>>(mut command: Command, arguments: &[S]) -> Output {
        let output = command
            .args(arguments.iter().map(AsRef::as_ref))
            .output()
            .unwrap();
        Output {
            data: String::from_utf8(output.stdout).unwrap(),
            words: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap(),
        }
    }

    /// A command that ends with 0: its data.
    pub(crate) fn text<S: AsRef<str> + std::fmt::Debug>(&self, arguments: &[S]) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.code, 0,
            "{arguments:?}: {}{}",
            output.words, output.data
        );
        output.data
    }

    pub(crate) fn done<S: AsRef<str> + std::fmt::Debug>(&self, arguments: &[S]) {
        self.text(arguments);
    }

    pub(crate) fn lines<S: AsRef<str> + std::fmt::Debug>(&self, arguments: &[S]) -> Vec<String> {
        self.text(arguments)
            .lines()
            .map(ToOwned::to_owned)
            .collect()
    }

    pub(crate) fn json<S: AsRef<str> + std::fmt::Debug>(&self, arguments: &[S]) -> Value {
        serde_json::from_str(&self.text(arguments)).unwrap()
    }

    /// What `rehearse` says of a company's first thirty days.
    pub(crate) fn rehearsed(&self, people: u32, seed: u64) -> Books {
        let folder = self.path(&format!("rehearsed-{people}-{seed}"));
        let (people, seed) = (people.to_string(), seed.to_string());
        self.done(&[
            "rehearse", "--people", &people, "--seed", &seed, "--out", &folder,
        ]);
        let summary = std::fs::read_to_string(format!("{folder}/summary.json")).unwrap();
        let summary: Value = serde_json::from_str(&summary).unwrap();
        Books::of(&summary)
    }

    /// A simulator of Tripletex; `None` for a free port.
    pub(crate) fn sandbox(&self, arguments: &[&str], address: Option<&str>) -> Sandbox {
        self.sandbox_of("tripletex", arguments, address)
    }

    /// A vendor's simulator; `None` for a free port.
    pub(crate) fn sandbox_of(
        &self,
        vendor: &str,
        arguments: &[&str],
        address: Option<&str>,
    ) -> Sandbox {
        let mut child = self
            .command()
            .args(["sandbox", vendor])
            .args(arguments)
            .args(["--listen", address.unwrap_or("127.0.0.1:0")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let first: Value = serde_json::from_str(&line).unwrap();
        let credentials = first["credentials"].as_object().unwrap();
        let files = credentials
            .iter()
            .map(|(name, secret)| {
                let path = self.path(name);
                std::fs::write(&path, secret.as_str().unwrap()).unwrap();
                format!("{name}=@{path}")
            })
            .collect();
        Sandbox {
            vendor: vendor.to_owned(),
            child,
            first,
            files,
        }
    }
}

impl Books {
    fn of(summary: &Value) -> Self {
        let number = |path: &str| {
            summary
                .pointer(path)
                .and_then(Value::as_u64)
                .unwrap_or_else(|| panic!("no {path} in {summary}"))
        };
        Self {
            records: number("/day_0/records"),
            joiners: number("/months/0/joiners"),
            leavers: number("/months/0/leavers"),
        }
    }
}

/// A running simulator.
pub(crate) struct Sandbox {
    vendor: String,
    child: Child,
    first: Value,
    /// `NAME=@FILE` of each secret.
    files: Vec<String>,
}

impl Sandbox {
    pub(crate) fn base_url(&self) -> String {
        self.first["base_url"].as_str().unwrap().to_owned()
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.base_url()
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn secrets(&self) -> Vec<String> {
        let credentials = self.first["credentials"].as_object().unwrap();
        credentials
            .values()
            .map(|secret| secret.as_str().unwrap().to_owned())
            .collect()
    }

    fn source(&self) -> Vec<String> {
        let mut arguments = vec!["--base-url".to_owned(), self.base_url()];
        for (name, value) in self.first["settings"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            arguments.extend(["--set".to_owned(), format!("{name}={value}")]);
        }
        for file in &self.files {
            arguments.extend(["--secret".to_owned(), file.clone()]);
        }
        arguments
    }

    /// The arguments that connect it.
    pub(crate) fn connect(&self, name: &str, preset: &str) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["connect", &self.vendor, "--name", name, "--preset", preset]
                .map(ToOwned::to_owned)
                .to_vec();
        arguments.extend(self.source());
        arguments
    }

    /// The arguments that pull from it.
    pub(crate) fn pull(&self, more: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = ["pull", &self.vendor].map(ToOwned::to_owned).to_vec();
        arguments.extend(self.source());
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        arguments
    }

    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.end();
    }
}
