//! The command line of `docs/command-line.md`, as types.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Keeps people, teams and access in step between HR systems and everything
/// that depends on them.
#[derive(Debug, Parser)]
#[command(name = "muster", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) database: DatabaseArguments,
    /// Folder with further connectors, or others in the place of those built in
    #[arg(
        long = "connectors",
        global = true,
        env = "MUSTER_CONNECTORS",
        value_name = "DIR"
    )]
    pub(crate) connectors_folder: Option<PathBuf>,
}

/// Where the data is.
#[derive(Debug, Clone, Args)]
pub(crate) struct DatabaseArguments {
    /// Folder of the embedded database [default: $XDG_DATA_HOME/muster]
    #[arg(
        long,
        global = true,
        env = "MUSTER_DATA",
        value_name = "DIR",
        conflicts_with = "database"
    )]
    pub(crate) data: Option<PathBuf>,
    /// PostgreSQL instead: postgres://user@host/database; an address with a password
    /// belongs in the variable, because everybody here can read the list of processes
    #[arg(
        long,
        global = true,
        env = "MUSTER_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) database: Option<String>,
    /// The master key's file [default: muster.key beside the data, made once]
    #[arg(long, global = true, env = "MUSTER_KEY_FILE", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole main job on a machine with nothing else
    Demo(Demo),
    /// Compare two employee files: CSV, NDJSON or XLSX
    Diff(Diff),
    /// Read one HR system and print canonical people, without storing anything
    Pull(Pull),
    /// The catalogue of connectors
    Connectors(Connectors),
    /// Run a vendor's simulator
    Sandbox(Sandbox),
    /// Organisations
    Org(Org),
    /// People who may sign in
    User(User),
    /// What programs sign in with
    Token(Token),
    /// Make or change a connection
    Connect(Connect),
    /// Read, compare, and show what would change
    Plan(Plan),
    /// Apply a stored plan
    Apply(Apply),
    /// Plan, and apply what needs nobody
    Sync(Sync),
    /// Decide about rows of a plan, and do at once what was decided
    Decide(Decide),
    /// Take a person and a connection's record apart
    Unlink(Unlink),
    /// Take back what a run did
    Undo(Undo),
    /// Why somebody is as they are
    Explain(Explain),
    /// People of an organisation
    People(People),
    /// Runs of an organisation, newest first
    Runs(Runs),
    /// Erase people for good: their id and the day are all that stays
    Erase(Erase),
    /// Let the record of an erased person be read again
    Readmit(Readmit),
    /// The audit log
    Audit(Audit),
    /// Look at everything that can go wrong in operation; changes nothing
    Doctor(Doctor),
    /// Write everything into one encrypted file, while work goes on
    Backup(Backup),
    /// Put everything back from a backup, or nothing
    Restore(Restore),
    /// The master key
    Key(Key),
    /// Write the rehearsal company as files
    Rehearse(Rehearse),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the simulator listens
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// How many people the company has
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) people: u32,
    /// Which company
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only the first run, with its report as JSON
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// One file
    pub(crate) left: PathBuf,
    /// The other one
    pub(crate) right: PathBuf,
    /// The columns that together name a person
    #[arg(long, value_delimiter = ',', required = true, value_name = "FIELD,…")]
    pub(crate) key: Vec<String>,
    /// How the differences are printed
    #[arg(long, value_enum, default_value_t = DiffFormat::Summary)]
    pub(crate) format: DiffFormat,
    /// What a column means: its header, and a canonical field or the other file's header
    #[arg(long = "map", value_name = "HEADER=FIELD")]
    pub(crate) maps: Vec<String>,
    /// The country in whose national form phone numbers are read, ISO 3166-1 alpha-2
    #[arg(long, value_name = "COUNTRY")]
    pub(crate) region: Option<String>,
    /// Also tell values that differ only in how they are written
    #[arg(long)]
    pub(crate) exact: bool,
    /// The encoding of both files, or of each [default: found by content]
    #[arg(long, value_delimiter = ',', value_name = "NAME[,NAME]")]
    pub(crate) encoding: Vec<String>,
    /// What separates the cells of CSV: a character, or tab [default: found in the first line]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<String>,
}

/// How differences are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    Summary,
    Json,
    Ndjson,
    Csv,
}

/// How a source is reached.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The base address of the HR system
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// A setting of the connector, or region=XX for telephone numbers
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// A secret: NAME=@FILE, NAME=- (standard input) or NAME=VALUE
    #[arg(long = "secret", value_name = "NAME=@FILE")]
    pub(crate) secrets: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// The connector's name
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) source: Source,
    /// Only these fields
    #[arg(long, value_delimiter = ',', value_name = "FIELD,…")]
    pub(crate) fields: Vec<String>,
    /// How people are printed
    #[arg(long, value_enum, default_value_t = PeopleFormat::Ndjson)]
    pub(crate) format: PeopleFormat,
}

/// How people are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeopleFormat {
    Ndjson,
    Csv,
    Table,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Connectors {
    #[command(subcommand)]
    pub(crate) command: Option<ConnectorsCommand>,
    /// How the catalogue is printed
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorsCommand {
    /// One connector: what it needs, reads and writes
    Show {
        /// Its name
        name: String,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
        format: ShowFormat,
    },
    /// Read one person and show what becomes of each field, step by step
    Try {
        /// The connector's name
        name: String,
        /// The person's record id at the vendor
        #[arg(long, value_name = "ID")]
        person: String,
        #[command(flatten)]
        source: Source,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
        format: TextOrJson,
    },
    /// The fields that the vendor has for this company
    Fields {
        /// The connector's name
        name: String,
        #[command(flatten)]
        source: Source,
        /// How they are printed
        #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
        format: TextOrJson,
    },
    /// The JSON schema of a manifest
    Schema,
    /// Check a manifest, and try it on the recorded answers beside it
    ///
    /// Answers are in the folder `fixtures` beside the manifest. Nothing is asked of
    /// the vendor.
    Check {
        /// The manifest's file, or its folder
        file: PathBuf,
        /// How problems are printed
        #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
        format: TextOrJson,
    },
}

/// For people, for programs, or for the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    Text,
    Json,
    Markdown,
}

/// For people, or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Which vendor
    pub(crate) vendor: String,
    /// Where it listens
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// How many people the company has
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) people: u32,
    /// Which company
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The company as of this day of its year
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=365))]
    pub(crate) day: u32,
    /// Another company, from a CSV file
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["people", "seed", "day"])]
    pub(crate) from: Option<PathBuf>,
    /// A fault to show; may be given several times
    #[arg(long = "fault", value_name = "NAME")]
    pub(crate) faults: Vec<String>,
    /// Also write each call that changes something to a file, as one JSON line, when
    /// it is done
    #[arg(long, value_name = "FILE")]
    pub(crate) write_log: Option<PathBuf>,
    /// Also write every request's method and address to a file, a line each, as a
    /// proxy's log would hold it
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Org {
    #[command(subcommand)]
    pub(crate) command: OrgCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Make an organisation
    Create {
        /// Its name
        name: String,
        /// Its country, ISO 3166-1 alpha-2: how national numbers are read
        #[arg(long, default_value = "NO")]
        region: String,
        /// Its time zone, IANA
        #[arg(long, default_value = "Europe/Oslo")]
        time_zone: String,
    },
}

/// Which organisation; may be left out when there is one.
#[derive(Debug, Args)]
pub(crate) struct Organisation {
    /// The organisation's name
    #[arg(id = "org", long = "org", value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Connect {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The connector's name
    pub(crate) connector: String,
    /// The connection's name
    #[arg(long)]
    pub(crate) name: String,
    /// pick, mirror, provision or auto
    #[arg(long)]
    pub(crate) preset: String,
    #[command(flatten)]
    pub(crate) source: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The connection's name
    pub(crate) connection: String,
    /// Also write the plan to a file, for `apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
}

/// How plans and reports are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    Text,
    Json,
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The plan: its id, the beginning of it, or the file that `plan --out` wrote
    pub(crate) plan: String,
    /// Release these kinds of held rows
    #[arg(long, value_delimiter = ',', value_name = "KIND,…")]
    pub(crate) allow: Vec<String>,
    /// Only these people: id, e-mail or employee number
    #[arg(long, value_delimiter = ',', value_name = "PERSON,…")]
    pub(crate) only: Vec<String>,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The plan: its id, or the beginning of it
    pub(crate) plan: String,
    /// What `plan --format csv` printed, with the column `decision` filled in
    #[arg(long, value_name = "DECISIONS.csv")]
    pub(crate) file: PathBuf,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Unlink {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The person: id, e-mail or employee number
    pub(crate) person: String,
    /// The connection's name
    pub(crate) connection: String,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The connection's name
    pub(crate) connection: String,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The run: its id, or the beginning of it
    pub(crate) run: String,
    /// Only show what would be taken back
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The person: id, e-mail or employee number, also of a record that is nobody yet
    pub(crate) person: String,
    /// Only this field
    pub(crate) field: Option<String>,
    /// As a run found it: its id, or the beginning of it
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct People {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// As they are on this civil date
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<jiff::civil::Date>,
    /// How people are printed
    #[arg(long, value_enum, default_value_t = PeopleFormat::Table)]
    pub(crate) format: PeopleFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Runs {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// How runs are printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// How many people the company has
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) people: u32,
    /// Which company
    #[arg(long)]
    pub(crate) seed: u64,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// Who: id, e-mail or employee number
    #[arg(required = true, value_name = "PERSON")]
    pub(crate) people: Vec<String>,
    /// Yes, erase them: it cannot be undone
    #[arg(long)]
    pub(crate) yes: bool,
    /// Also somebody who is employed or may enter
    #[arg(long)]
    pub(crate) even_if_employed: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Readmit {
    #[command(flatten)]
    pub(crate) organisation: Organisation,
    /// The connection's name
    pub(crate) connection: String,
    /// The record's id in the source
    pub(crate) record: String,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Is the log, and what it speaks of, as it was written?
    Verify {
        /// The organisation's name [default: every organisation]
        #[arg(long = "org", value_name = "NAME")]
        organisation: Option<String>,
        /// A head that was kept elsewhere, as run reports print it: proves that
        /// nothing up to it was changed or cut
        #[arg(long, value_name = "N:HASH")]
        head: Option<String>,
        /// How the findings are printed
        #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
        format: TextOrJson,
    },
}

#[derive(Debug, Args)]
pub(crate) struct User {
    #[command(subcommand)]
    pub(crate) command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Let somebody into an organisation; prints a one-time secret to set a password
    Create {
        #[command(flatten)]
        organisation: Organisation,
        /// The sign-in address
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// owner, administrator, editor or viewer
        #[arg(long, value_name = "ROLE")]
        role: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token; it is printed once
    Create {
        #[command(flatten)]
        organisation: Organisation,
        /// What it may do: people:read, people:write, connections:read,
        /// connections:write, plans:read, plans:write, imports:read, imports:write,
        /// tickets:read, tickets:write, audit:read, scim
        #[arg(long, value_delimiter = ',', required = true, value_name = "SCOPE,…")]
        scope: Vec<String>,
        /// The only connection that it may touch; scim needs one
        #[arg(long, value_name = "NAME")]
        connection: Option<String>,
        /// When it ends by itself
        #[arg(long, value_name = "INSTANT")]
        expires: Option<jiff::Timestamp>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write
    pub(crate) file: Option<PathBuf>,
    /// Write over a file that is there, but never over the key or the database
    #[arg(long)]
    pub(crate) force: bool,
    /// Also, or only, write the list of erased people: ids, for `restore --erased`; an earlier list is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) erased_list: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    pub(crate) file: Option<PathBuf>,
    /// Take the place of the data that are there; who was erased in them stays erased
    #[arg(long)]
    pub(crate) replace: bool,
    /// The master key of the day of the backup, if it was another
    #[arg(long, value_name = "FILE")]
    pub(crate) backup_key: Option<PathBuf>,
    /// Erase again who stands in this list, written by `backup --erased-list`
    #[arg(long, value_name = "FILE")]
    pub(crate) erased: Option<PathBuf>,
    /// Only prove that the backup is whole
    #[arg(long, conflicts_with_all = ["replace", "erased"])]
    pub(crate) check: bool,
    /// After a restore: let outward work go on, and send or cancel what waited
    #[arg(long, value_enum, conflicts_with_all = ["file", "replace", "erased", "check", "backup_key"])]
    pub(crate) confirm: Option<Confirm>,
}

/// What becomes of messages that waited when the backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Confirm {
    Send,
    Cancel,
}

#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a new master key, and wrap every organisation's key with it
    Rotate,
}
