//! Kill and resume: the real process gets a real SIGKILL at instants drawn evenly
//! over the measured length of an undisturbed run, and the next run goes on. The
//! data are then those of the undisturbed run, and the source saw no write twice.
//!
//! A sample with a fixed seed in `./test`; 200 instants for each database with
//! `MUSTER_TEST_LONG=1`, which also writes `docs/kill-and-resume.md` when
//! `MUSTER_WRITE_DOCS=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "what supports a test may panic and print, like the test"
)]

mod dump;
mod installation;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use dump::{Dump, differences};
use installation::{Engine, Installation};
use muster_model::{Field, Flow, Value, policy::preset::MIRRORED};
use muster_storage::PersonToWrite;

/// The company's days: what is known, and what the killed run reads.
const BEFORE: u32 = 0;
const TODAY: u32 = 30;
/// Instants of the long run and of the sample.
const LONG: u32 = 200;
/// After so many kills the undisturbed run is measured again: over half an hour a
/// machine gets faster or slower, and instants of before would fall behind the end.
const MEASURED_EVERY: u32 = 5;
const SAMPLE: u32 = 12;
/// How many of 200 must hit one of the four steps that matter.
const MUST_HIT: u32 = 150;
/// Runs that came before: the first sync, and that of the changed policy.
const RUNS_BEFORE: usize = 2;
/// People whose telephone number we change, and whose job title the source sets back.
const PUSHED: usize = 20;
const SET_BACK: usize = 150;

/// What a kill hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hit {
    Start,
    Read,
    Plan,
    Apply,
    Outbox,
    Report,
    /// The run had ended.
    End,
}

impl Hit {
    const ALL: [Self; 7] = [
        Self::Start,
        Self::Read,
        Self::Plan,
        Self::Apply,
        Self::Outbox,
        Self::Report,
        Self::End,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Read => "read",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Outbox => "outbox",
            Self::Report => "report",
            Self::End => "after the end",
        }
    }

    const fn matters(self) -> bool {
        matches!(self, Self::Read | Self::Plan | Self::Apply | Self::Outbox)
    }
}

/// What an undisturbed run leaves.
struct Undisturbed {
    dump: Dump,
    writes: BTreeMap<String, u64>,
    length: Duration,
}

#[test]
fn killed_at_any_instant_it_goes_on_on_sqlite() {
    proof(Engine::Sqlite);
}

#[test]
fn killed_at_any_instant_it_goes_on_on_postgresql() {
    proof(Engine::Postgres);
}

fn proof(engine: Engine) {
    let Some(installation) = Installation::new(engine) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    prepare(&installation, &runtime);
    let undisturbed = undisturbed(&installation, &runtime);
    let long = std::env::var_os("MUSTER_TEST_LONG").is_some();
    let instants = match std::env::var("MUSTER_TEST_KILLS") {
        Ok(number) => number.parse().unwrap(),
        Err(_) if long => LONG,
        Err(_) => SAMPLE,
    };
    let mut hits: BTreeMap<Hit, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut length = undisturbed.length;
    let (mut shortest, mut longest) = (length, length);
    for number in 0..instants {
        if number > 0 && number.is_multiple_of(MEASURED_EVERY) {
            length = measured(&installation);
            (shortest, longest) = (shortest.min(length), longest.max(length));
        }
        // Evenly over the length, each somewhere inside its share of it: the
        // fraction of the golden ratio spreads without repeating.
        let inside = f64::from(number) * 0.618_033_988_749_894_9;
        let share = (f64::from(number) + inside.fract()) / f64::from(instants);
        let instant = length.mul_f64(share);
        let (hit, found) = killed(&installation, &runtime, instant, &undisturbed);
        *hits.entry(hit).or_default() += 1;
        println!("{} {number}: {instant:?} hit {}", engine.name(), hit.name());
        if !found.is_empty() {
            wrong.push(format!(
                "{instant:?} hit {}: {:#?}",
                hit.name(),
                shown(&found)
            ));
        }
    }
    let table = table(engine, &hits, instants, wrong.len(), (shortest, longest));
    println!("{table}");
    if long && std::env::var_os("MUSTER_WRITE_DOCS").is_some() {
        write_page(engine, &table);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mattered: u32 = hits
        .iter()
        .filter(|(hit, _)| hit.matters())
        .map(|(_, number)| number)
        .sum();
    assert!(
        mattered * LONG >= MUST_HIT * instants,
        "only {mattered} of {instants} hit read, plan, apply or outbox: {hits:?}"
    );
}

/// A company that is known since a month, with changes on both sides.
fn prepare(installation: &Installation, runtime: &tokio::runtime::Runtime) {
    let simulator = installation.simulator(BEFORE, false);
    installation.run(&["org", "create", "Fjordlys"]);
    installation.connect(&simulator);
    installation.run(&["sync", "hr"]);
    runtime.block_on(async {
        let storage = installation.open().await;
        let organisation = storage
            .organisation_by_name("Fjordlys")
            .await
            .unwrap()
            .unwrap();
        let mut transaction = storage.begin(organisation.id).await.unwrap();
        let mut connection = transaction.connection_by_name("hr").await.unwrap().unwrap();
        for field in MIRRORED {
            connection.policy.flows.insert(field, Flow::Both);
        }
        transaction
            .update_connection(&connection, None)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        storage.close().await;
    });
    installation.run(&["sync", "hr"]);
    runtime.block_on(async {
        let storage = installation.open().await;
        let organisation = storage
            .organisation_by_name("Fjordlys")
            .await
            .unwrap()
            .unwrap();
        let key = organisation.digest_key();
        let mut transaction = storage.begin(organisation.id).await.unwrap();
        let mut people = transaction.people_page(None, 10_000).await.unwrap();
        people.truncate(SET_BACK);
        for (index, person) in people.iter_mut().enumerate() {
            person
                .fields
                .put(Field::JobTitle, Value::text("Somebody's idea"));
            if index < PUSHED {
                let phone = format!("+479{index:07}");
                person.fields.put(Field::Phone, Value::text(phone));
            }
        }
        let ids: Vec<_> = people.iter().map(|person| person.id).collect();
        let written: Vec<PersonToWrite> = people
            .into_iter()
            .map(|person| PersonToWrite {
                keys: muster_model::MatchKey::ALL
                    .into_iter()
                    .filter_map(|one| Some((one, one.digest(&person.fields, &key)?)))
                    .collect(),
                person,
            })
            .collect();
        assert_eq!(transaction.write_people(&written).await.unwrap(), []);
        transaction.mark_people_due(&ids).await.unwrap();
        transaction.commit().await.unwrap();
        storage.close().await;
    });
    installation.remember();
}

/// The run that nobody disturbs, and one more, so that what a read brings to rest rests.
fn undisturbed(installation: &Installation, runtime: &tokio::runtime::Runtime) -> Undisturbed {
    let mut length = Duration::MAX;
    let mut last = None;
    // The shortest of three: what else the machine does is no part of the run.
    for _ in 0..3 {
        installation.set_back();
        let simulator = installation.simulator(TODAY, true);
        let began = now();
        let output = installation.run(&["sync", "hr", "--format", "json"]);
        length = length.min(now().duration_since(began));
        println!(
            "undisturbed: {}",
            String::from_utf8_lossy(&output.stdout).trim()
        );
        let found = settled(installation, runtime);
        let writes = simulator.writes();
        if let Some((dump, before)) = &last {
            let other = differences(dump, &found);
            assert!(other.is_empty(), "{:#?}", shown(&other));
            assert_eq!(before, &writes);
        }
        last = Some((found, writes));
    }
    let (dump, writes) = last.unwrap();
    assert!(
        writes.len() * 10 >= PUSHED * 9,
        "only {} writes",
        writes.len()
    );
    assert!(writes.values().all(|times| *times == 1));
    Undisturbed {
        dump,
        writes,
        length,
    }
}

/// How long the run that nobody disturbs takes now.
fn measured(installation: &Installation) -> Duration {
    installation.set_back();
    let _simulator = installation.simulator(TODAY, true);
    let began = now();
    installation.run(&["sync", "hr", "--format", "json"]);
    now().duration_since(began)
}

/// One more sync, and everything that is there then.
fn settled(installation: &Installation, runtime: &tokio::runtime::Runtime) -> Dump {
    installation.run(&["sync", "hr"]);
    runtime.block_on(async {
        let storage = installation.open().await;
        let dump = dump::dump(&storage).await;
        storage.close().await;
        dump
    })
}

/// A run that is killed at an instant, and the next that goes on: what the kill
/// hit, and what differs from the undisturbed run.
fn killed(
    installation: &Installation,
    runtime: &tokio::runtime::Runtime,
    instant: Duration,
    undisturbed: &Undisturbed,
) -> (Hit, Vec<String>) {
    installation.set_back();
    let simulator = installation.simulator(TODAY, true);
    let mut child = installation
        .command(&["sync", "hr"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(instant);
    // SIGKILL: nothing of the process runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    let (hit, dead) = runtime.block_on(hit(installation));
    let began = now();
    installation.run(&["sync", "hr"]);
    let patience = now().duration_since(began);
    let mut wrong = Vec::new();
    // A lease that has to run out would be a minute.
    if patience > Duration::from_secs(50) {
        wrong.push(format!("the next run took {patience:?}"));
    }
    let found = settled(installation, runtime);
    wrong.extend(differences(&undisturbed.dump, &found));
    let writes = simulator.writes();
    if writes != undisturbed.writes {
        wrong.extend(differences(&undisturbed.writes, &writes));
    }
    if let Some(dead) = dead {
        wrong.extend(runtime.block_on(unmarked(installation, dead)));
    }
    (hit, wrong)
}

/// What the newest run was at when it was killed, and which it is when it died.
async fn hit(installation: &Installation) -> (Hit, Option<muster_model::RunId>) {
    let storage = installation.open().await;
    let organisation = storage
        .organisation_by_name("Fjordlys")
        .await
        .unwrap()
        .unwrap();
    let mut reader = storage.read(organisation.id).await.unwrap();
    let runs = reader.runs(10).await.unwrap();
    drop(reader);
    storage.close().await;
    let latest = runs.first().unwrap();
    let is_new = runs.len() > RUNS_BEFORE;
    match (is_new, latest.finished_at, latest.step) {
        (false, ..) => (Hit::Start, None),
        (true, Some(_), _) => (Hit::End, None),
        (true, None, step) => {
            let hit = match step.map(muster_storage::RunStep::word) {
                Some("read") => Hit::Read,
                Some("plan") => Hit::Plan,
                Some("apply") => Hit::Apply,
                Some("outbox") => Hit::Outbox,
                Some("report") => Hit::Report,
                _ => Hit::Start,
            };
            (hit, Some(latest.id))
        }
    }
}

/// The dead run must be marked as interrupted, and no row of its plan be open.
async fn unmarked(installation: &Installation, dead: muster_model::RunId) -> Vec<String> {
    let storage = installation.open().await;
    let organisation = storage
        .organisation_by_name("Fjordlys")
        .await
        .unwrap()
        .unwrap();
    let mut reader = storage.read(organisation.id).await.unwrap();
    let run = reader.run(dead).await.unwrap().unwrap();
    drop(reader);
    storage.close().await;
    match (run.finished_at, run.interrupted_at) {
        (None, Some(_)) => Vec::new(),
        _ => vec!["the dead run is not marked as interrupted".to_owned()],
    }
}

/// The first lines, cut: people are long.
fn shown(lines: &[String]) -> Vec<String> {
    let cut = |line: &String| line.chars().take(2_000).collect();
    lines.iter().take(12).map(cut).collect()
}

#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

/// The page is written by each engine's proof up to the other's part.
fn write_page(engine: Engine, table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kill-and-resume.md");
    let page = std::fs::read_to_string(path).unwrap();
    let begin = format!("<!-- {} -->\n", engine.name());
    let end = format!("<!-- end of {} -->", engine.name());
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    std::fs::write(path, format!("{before}{begin}\n{table}\n{end}{after}")).unwrap();
}

fn table(
    engine: Engine,
    hits: &BTreeMap<Hit, u32>,
    instants: u32,
    wrong: usize,
    (shortest, longest): (Duration, Duration),
) -> String {
    let mut table = format!(
        "{}: {instants} kills over {:.1} to {:.1} s; {wrong} ended otherwise than undisturbed\n\n\
         | killed in | times |\n|---|---|\n",
        engine.name(),
        shortest.as_secs_f64(),
        longest.as_secs_f64()
    );
    for hit in Hit::ALL {
        let times = hits.get(&hit).copied().unwrap_or_default();
        writeln!(table, "| {} | {times} |", hit.name()).unwrap();
    }
    table
}
