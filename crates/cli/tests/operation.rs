//! Backup, restore, rotation of the key and doctor, with the real binary, on both
//! databases: while a sync runs, and killed in the middle.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what supports a test may panic and print, like the test"
)]

mod muster;

#[path = "operation/keys.rs"]
mod keys;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use muster::{Database, Muster, Sandbox};
use serde_json::Value;

/// Runs a test on the server of `MUSTER_TEST_POSTGRES`, if there is one.
fn on_postgresql(test: fn(Make)) {
    if std::env::var_os("MUSTER_TEST_POSTGRES").is_some() {
        test(Database::postgres);
    } else {
        println!("not run: PostgreSQL (MUSTER_TEST_POSTGRES is not set)");
    }
}

/// Runs a test on the embedded database.
fn on_sqlite(test: fn(Make)) {
    test(|| Some(Database::Sqlite));
}

#[test]
fn backup_while_a_sync_runs_on_sqlite() {
    on_sqlite(backups_taken_while_a_sync_runs_end_where_the_sync_ended);
}

#[test]
fn backup_while_a_sync_runs_on_postgresql() {
    on_postgresql(backups_taken_while_a_sync_runs_end_where_the_sync_ended);
}

#[test]
fn killed_backup_and_restore_on_sqlite() {
    on_sqlite(a_killed_backup_leaves_no_half_file_and_a_killed_restore_nothing_half);
}

#[test]
fn killed_backup_and_restore_on_postgresql() {
    on_postgresql(a_killed_backup_leaves_no_half_file_and_a_killed_restore_nothing_half);
}

#[test]
fn killed_rotation_on_sqlite() {
    on_sqlite(a_rotation_of_the_key_can_be_killed_at_any_instant);
}

#[test]
fn killed_rotation_on_postgresql() {
    on_postgresql(a_rotation_of_the_key_can_be_killed_at_any_instant);
}

#[test]
fn migrated_fixtures_on_sqlite() {
    on_sqlite(what_an_earlier_version_saved_is_migrated_and_synced_as_if_nothing_had_been);
}

#[test]
fn migrated_fixtures_on_postgresql() {
    on_postgresql(what_an_earlier_version_saved_is_migrated_and_synced_as_if_nothing_had_been);
}

type Make = fn() -> Option<Database>;

/// A company that is connected and not yet synced.
fn connected(make: Make, sandbox: Option<&Sandbox>, people: u32) -> (Muster, Option<Sandbox>) {
    let muster = Muster::new(make().unwrap());
    let own = sandbox
        .is_none()
        .then(|| muster.sandbox(&["--people", &people.to_string(), "--seed", "5"], None));
    muster.done(&["org", "create", "Nordlys"]);
    let source = sandbox.or(own.as_ref()).unwrap();
    muster.done(&source.connect("hr", "provision"));
    (muster, own)
}

/// Another installation with the same master key.
fn elsewhere(make: Make, of: &Muster) -> Muster {
    let muster = Muster::new(make().unwrap());
    std::fs::create_dir_all(muster.key_file().parent().unwrap()).unwrap();
    std::fs::copy(of.key_file(), muster.key_file()).unwrap();
    muster
}

/// Everybody, without the ids that each installation gives itself.
fn people(muster: &Muster) -> Vec<String> {
    let mut people: Vec<String> = muster
        .lines(&["people", "--format", "ndjson"])
        .iter()
        .map(|line| {
            let mut person: Value = serde_json::from_str(line).unwrap();
            let has_manager = person.get("manager").is_some();
            let fields = person.as_object_mut().unwrap();
            fields.remove("id");
            fields.insert("manager".to_owned(), has_manager.into());
            person.to_string()
        })
        .collect();
    people.sort();
    people
}

fn doctor(muster: &Muster) -> (i32, Value) {
    let output = muster.run(&["doctor", "--format", "json"]);
    let found = serde_json::from_str(&output.data)
        .unwrap_or_else(|_| panic!("{}{}", output.data, output.words));
    (output.code, found)
}

/// The codes of what is not as it should be.
fn complaints(found: &Value) -> Vec<String> {
    found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["verdict"] != "ok")
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

fn spawned(muster: &Muster, arguments: &[&str]) -> Child {
    muster
        .command()
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn backups_taken_while_a_sync_runs_end_where_the_sync_ended(make: Make) {
    // Long enough for some backups; `./test --long` takes more of them.
    let is_long = std::env::var_os("MUSTER_TEST_LONG").is_some();
    let (undisturbed, sandbox) = connected(make, None, if is_long { 5_000 } else { 250 });
    let sandbox = sandbox.unwrap();
    undisturbed.done(&["sync", "hr"]);
    let expected = people(&undisturbed);
    assert!(expected.len() > 200);

    let (muster, _) = connected(make, Some(&sandbox), 0);
    let mut syncing = muster
        .command()
        .args(["sync", "hr"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut backups = Vec::new();
    let status = loop {
        let file = muster.path(&format!("backup-{}", backups.len()));
        let told = muster.json(&["backup", &file]);
        backups.push((file, told["tables"]["people"].as_u64().unwrap()));
        if let Some(status) = syncing.try_wait().unwrap() {
            break status;
        }
    };
    assert!(status.success(), "the sync was not disturbed");
    assert_eq!(people(&muster), expected);
    assert!(backups.len() >= 2, "{backups:?}");
    assert!(
        backups.is_sorted_by_key(|(_, people)| *people),
        "{backups:?}"
    );

    // The first, one in the middle, and the last, which goes into the other engine too.
    let other: Make = if std::env::var_os("MUSTER_TEST_POSTGRES").is_some() {
        || Some(Database::postgres().unwrap_or(Database::Sqlite))
    } else {
        || Some(Database::Sqlite)
    };
    let sqlite: Make = || Some(Database::Sqlite);
    let last = backups.len() - 1;
    for (number, into) in [(0, make), (last / 2, make), (last, sqlite), (last, other)] {
        let (file, saved) = &backups[number];
        let restored = elsewhere(into, &muster);
        let told = restored.json(&["restore", file]);
        assert_eq!(told["backup"]["tables"]["people"], *saved);
        let (code, found) = doctor(&restored);
        assert_eq!(
            (code, complaints(&found)),
            (3, vec!["restore.unconfirmed".to_owned()])
        );
        restored.done(&["restore", "--confirm", "cancel"]);
        let (code, found) = doctor(&restored);
        assert_eq!(code, 0, "{found}");
        let synced = restored.run(&["sync", "hr", "--format", "json"]);
        let report: Value = serde_json::from_str(&synced.data).unwrap();
        let held: Vec<&Value> = report["holds"].as_array().unwrap().iter().collect();
        // A first run that was interrupted is followed by a second one, whose joiners
        // count against the brake: a person lets them through.
        if !held.is_empty() {
            assert!(held.iter().all(|hold| hold["kind"] == "create"), "{report}");
            let plan = restored.run(&["plan", "hr", "--format", "json"]);
            let plan: Value = serde_json::from_str(&plan.data).unwrap();
            let id = plan["plan"].as_str().unwrap();
            restored.done(&["apply", id, "--allow", "create"]);
        }
        let report = restored.json(&["sync", "hr", "--format", "json"]);
        assert_eq!(report["outcome"], "ok", "backup {number}: {report}");
        assert_eq!(people(&restored), expected, "backup {number}");
    }
}

/// Waits so long and kills; had it ended before?
fn killed_after(child: &mut Child, milliseconds: u64) -> bool {
    std::thread::sleep(Duration::from_millis(milliseconds));
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    ended
}

fn a_killed_backup_leaves_no_half_file_and_a_killed_restore_nothing_half(make: Make) {
    let (muster, sandbox) = connected(make, None, 300);
    muster.done(&["sync", "hr"]);
    let file = muster.path("backup");
    let mut killed = 0;
    for step in 1.. {
        let mut child = spawned(&muster, &["backup", &file]);
        let ended = killed_after(&mut child, step * 12);
        if Path::new(&file).exists() {
            muster.done(&["restore", &file, "--check"]);
            if ended {
                break;
            }
            std::fs::remove_file(&file).unwrap();
        } else {
            assert!(!ended);
            killed += 1;
        }
    }
    assert!(killed >= 2, "only {killed} were killed before the end");
    let before = people(&muster);

    // A later day, which the restore takes back.
    let address = sandbox.as_ref().unwrap().address();
    drop(sandbox);
    let arguments = ["--people", "300", "--seed", "5", "--day", "30"];
    let _sandbox = muster.sandbox(&arguments, Some(&address));
    let synced = muster.run(&["sync", "hr"]);
    assert!(synced.code != 1, "{}", synced.words);
    let after = people(&muster);
    assert_ne!(before, after);
    let mut killed = 0;
    for step in 1.. {
        let mut child = spawned(&muster, &["restore", &file, "--replace"]);
        let ended = killed_after(&mut child, step * 25);
        let now = people(&muster);
        let (code, found) = doctor(&muster);
        assert_ne!(code, 1, "{found}");
        if now == before {
            assert_eq!(complaints(&found), ["restore.unconfirmed"]);
            break;
        }
        assert!(
            now == after,
            "neither the one nor the other after {step} steps"
        );
        assert!(!ended, "it ended and restored nothing");
        killed += 1;
    }
    assert!(killed >= 2, "only {killed} were killed before the end");

    // Into an empty place: killed, and then again.
    let fresh = elsewhere(make, &muster);
    let mut child = spawned(&fresh, &["restore", &file]);
    killed_after(&mut child, 60);
    let again = fresh.run(&["restore", &file]);
    assert!(
        again.code == 0 || again.words.contains("restore.not_empty"),
        "{}",
        again.words
    );
    assert_eq!(people(&fresh), before);
}

fn a_rotation_of_the_key_can_be_killed_at_any_instant(make: Make) {
    let (muster, _sandbox) = connected(make, None, 12);
    muster.done(&["sync", "hr"]);
    let expected = people(&muster);
    let key = muster.key_file();
    let beside = |what: &str| key.with_file_name(format!("muster.key.{what}"));
    let read = |path: &Path| std::fs::read(path).unwrap();

    // Each step in turn is the last that was done. First the new key is written:
    // half of it, and all of it.
    let old = read(&key);
    for half in [&old[..20], &[b'a'; 64][..]] {
        std::fs::write(beside("new"), half).unwrap();
        assert_eq!(people(&muster), expected);
        assert_eq!(read(&key), old, "nothing was rotated");
    }
    // What was left there is in nobody's way.
    let told = muster.json(&["key", "rotate"]);
    assert_eq!(told["organisations"], 1);
    let kept = told["old_key_file"].as_str().unwrap().to_owned();
    assert_eq!(read(Path::new(&kept)), old);
    let new = read(&key);
    assert_ne!(new, old);
    assert_eq!(people(&muster), expected);
    // Then everything is wrapped with it, and the files are as they were; with and
    // without the second name of the old one.
    for with_second_name in [false, true] {
        std::fs::rename(&key, beside("new")).unwrap();
        std::fs::write(&key, &old).unwrap();
        make_private(&key);
        if !with_second_name {
            std::fs::remove_file(&kept).unwrap();
        }
        let (code, found) = doctor(&muster);
        assert_eq!(code, 1);
        assert!(
            complaints(&found).contains(&"key.rotation".to_owned()),
            "{found}"
        );
        assert_eq!(people(&muster), expected);
        assert_eq!(read(&key), new, "the rotation was finished");
        assert!(!beside("new").exists());
        assert_eq!(doctor(&muster).0, 0);
    }

    // And killed for real, wherever it is.
    let mut changed = 0;
    for step in 0..24 {
        let before = read(&key);
        let mut child = spawned(&muster, &["key", "rotate"]);
        killed_after(&mut child, step * 4);
        assert_eq!(people(&muster), expected, "killed after {} ms", step * 4);
        changed += usize::from(read(&key) != before);
    }
    println!("{changed} of 24 rotations had come to their effect");
    muster.done(&["key", "rotate"]);
    assert_eq!(doctor(&muster).0, 0);
    #[cfg(unix)]
    for entry in std::fs::read_dir(key.parent().unwrap()).unwrap() {
        use std::os::unix::fs::MetadataExt;
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let stays = ["muster.key", "muster.key.lock"].contains(&name.as_str());
        if name.starts_with("muster.key") && !stays && !name.contains(".old-") {
            panic!("{name} was left");
        }
        if name.starts_with("muster.key") {
            assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600, "{name}");
        }
    }
}

#[test]
fn no_backup_is_made_with_another_key_on_sqlite() {
    on_sqlite(a_backup_with_another_key_is_refused);
}

#[test]
fn no_backup_is_made_with_another_key_on_postgresql() {
    on_postgresql(a_backup_with_another_key_is_refused);
}

fn a_backup_with_another_key_is_refused(make: Make) {
    let muster = Muster::new(make().unwrap());
    muster.done(&["org", "create", "Nordlys"]);
    let stale = muster.path("stale.key");
    std::fs::copy(muster.key_file(), &stale).unwrap();
    muster.done(&["key", "rotate"]);
    let file = muster.path("backup");
    muster.done(&["backup", &file]);
    let whole = std::fs::read(&file).unwrap();
    let other = muster.path("other");
    for arguments in [
        &["backup", &other, "--key-file", &stale][..],
        &["backup", &file, "--force", "--key-file", &stale],
    ] {
        let output = muster.run(arguments);
        assert_eq!(output.code, 1, "{}", output.words);
        assert!(output.words.contains("key.wrong"), "{}", output.words);
    }
    assert!(!Path::new(&other).exists());
    assert!(!Path::new(&muster.path("other.partial")).exists());
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    muster.done(&["restore", &file, "--check"]);

    // And nothing is no backup either.
    let empty = Muster::new(make().unwrap());
    let output = empty.run(&["backup", &other]);
    assert_eq!(output.code, 2, "{}", output.words);
    assert!(output.words.contains("storage.none"), "{}", output.words);
    assert!(!Path::new(&other).exists());
}

#[test]
fn a_backup_writes_over_nothing_that_it_needs() {
    let muster = Muster::new(Database::Sqlite);
    muster.done(&["org", "create", "Nordlys"]);
    let data = muster.key_file().parent().unwrap().to_owned();
    let key = std::fs::read(muster.key_file()).unwrap();
    let named = muster.path("k.partial");
    std::fs::copy(muster.key_file(), &named).unwrap();
    let round_about = format!("{}/../muster", data.display());
    for name in [
        "muster.key",
        "muster.key.new",
        "muster.key.old-1",
        "muster.db",
        "muster.db-wal",
        "muster.db-shm",
        "MUSTER.db",
    ] {
        let target = format!("{round_about}/{name}");
        for arguments in [
            &["backup", &target][..],
            &["backup", &target, "--force"],
            &["backup", "--erased-list", &target],
            &["backup", "--erased-list", &target, "--force"],
        ] {
            let output = muster.run(arguments);
            assert_eq!(output.code, 2, "{arguments:?}: {}", output.words);
            assert!(output.words.contains("backup.own_file"), "{}", output.words);
        }
    }
    // The key that is named is no other than the one beside the data, and a file that
    // is being written has a second name.
    for target in [named.as_str(), &muster.path("k")] {
        let arguments = ["backup", target, "--force", "--key-file", &named];
        let output = muster.run(&arguments);
        assert!(output.words.contains("backup.own_file"), "{}", output.words);
    }
    assert_eq!(std::fs::read(&named).unwrap(), key);
    assert_eq!(std::fs::read(muster.key_file()).unwrap(), key);
    let same = muster.path("same");
    let output = muster.run(&["backup", &same, "--erased-list", &same]);
    assert_eq!(output.code, 2, "{}", output.words);

    // A list takes the place of a list, and of nothing else unasked.
    let list = muster.path("list");
    std::fs::write(&list, "somebody's").unwrap();
    let output = muster.run(&["backup", "--erased-list", &list]);
    assert_eq!(output.code, 1);
    assert!(output.words.contains("backup.exists"), "{}", output.words);
    assert_eq!(std::fs::read_to_string(&list).unwrap(), "somebody's");
    muster.done(&["backup", "--erased-list", &list, "--force"]);
    muster.done(&["backup", "--erased-list", &list]);
    assert_eq!(doctor(&muster).0, 0);
}

/// The key of the fixtures.
const FIXTURE_KEY: &str = "5d0ac0ffee00000000000000000000000000000000000000000000000000beef\n";
/// The company in the fixtures.
const FIXTURE_COMPANY: [&str; 4] = ["--people", "30", "--seed", "5"];

/// Each file in `fixtures` is the backup of a synced company, made by a version
/// with the schema that its name tells. `MUSTER_UPDATE_FIXTURES=1` adds the one of
/// today's schema.
fn what_an_earlier_version_saved_is_migrated_and_synced_as_if_nothing_had_been(make: Make) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    if std::env::var_os("MUSTER_UPDATE_FIXTURES").is_some() {
        add_fixture(&folder);
    }
    let mut tried = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let muster = Muster::new(make().unwrap());
        std::fs::create_dir_all(muster.key_file().parent().unwrap()).unwrap();
        std::fs::write(muster.key_file(), FIXTURE_KEY).unwrap();
        make_private(&muster.key_file());
        let told = muster.json(&["restore", file.to_str().unwrap()]);
        muster.done(&["restore", "--confirm", "send"]);
        let (code, found) = doctor(&muster);
        assert_eq!(code, 0, "{}: {found}", file.display());
        let before = people(&muster);
        assert_eq!(told["backup"]["tables"]["people"], before.len());

        // The same company answers at another address; nothing has changed in it.
        let sandbox = muster.sandbox(&FIXTURE_COMPANY, None);
        muster.done(&sandbox.connect("hr", "provision"));
        let report = muster.json(&["sync", "hr", "--format", "json"]);
        assert_eq!(report["outcome"], "ok", "{report}");
        for class in ["created", "failed", "ambiguous", "conflicts", "held"] {
            assert_eq!(report["counts"][class], 0, "{report}");
        }
        assert_eq!(undated(&people(&muster)), undated(&before));
        tried += 1;
    }
    assert!(tried > 0);
}

/// People without what a passing day changes: fixtures grow older.
fn undated(people: &[String]) -> Vec<Value> {
    people
        .iter()
        .map(|line| {
            let mut person: Value = serde_json::from_str(line).unwrap();
            let fields = person.as_object_mut().unwrap();
            for dated in ["employment", "employment_status", "access", "status"] {
                fields.remove(dated);
            }
            person
        })
        .collect()
}

fn make_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// A synced company of today, with things beside it that people made.
fn add_fixture(folder: &Path) {
    let muster = Muster::new(Database::Sqlite);
    std::fs::create_dir_all(muster.key_file().parent().unwrap()).unwrap();
    std::fs::write(muster.key_file(), FIXTURE_KEY).unwrap();
    make_private(&muster.key_file());
    let sandbox = muster.sandbox(&FIXTURE_COMPANY, None);
    muster.done(&["org", "create", "Nordlys"]);
    muster.done(&sandbox.connect("hr", "provision"));
    muster.done(&["sync", "hr"]);
    muster.done(&[
        "user",
        "create",
        "--email",
        "kari@nordlys.example",
        "--role",
        "owner",
    ]);
    muster.done(&["token", "create", "--scope", "people:read"]);
    let file = muster.path("fixture");
    let told = muster.json(&["backup", &file]);
    let name = format!("schema-{:04}.backup", told["schema"].as_i64().unwrap());
    std::fs::create_dir_all(folder).unwrap();
    std::fs::copy(file, folder.join(name)).unwrap();
}

#[test]
fn doctor_tells_each_fault_with_what_to_do() {
    let muster = Muster::new(Database::Sqlite);
    let (code, found) = doctor(&muster);
    assert_eq!(code, 1, "{found}");
    assert!(!muster.has_data(), "looking makes nothing");

    let sandbox = muster.sandbox(&["--people", "300"], None);
    muster.done(&["org", "create", "Nordlys"]);
    muster.done(&sandbox.connect("hr", "provision"));
    muster.done(&["sync", "hr"]);
    let (code, found) = doctor(&muster);
    assert_eq!((code, complaints(&found)), (0, Vec::new()), "{found}");
    let text = muster.text(&["doctor"]);
    assert!(
        text.contains("connection.health") && !text.contains("FAIL"),
        "{text}"
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(muster.key_file(), mode(0o640)).unwrap();
        let (code, found) = doctor(&muster);
        assert_eq!((code, complaints(&found)), (1, vec!["key.mode".to_owned()]));
        std::fs::set_permissions(muster.key_file(), mode(0o600)).unwrap();
    }

    let key = std::fs::read(muster.key_file()).unwrap();
    std::fs::write(muster.key_file(), "0".repeat(64)).unwrap();
    let (code, found) = doctor(&muster);
    assert_eq!(
        (code, complaints(&found)),
        (1, vec!["key.opens".to_owned()])
    );
    std::fs::write(muster.key_file(), &key).unwrap();

    // A page of the file goes bad. Restoring leaves everything in the file and nothing
    // in the log beside it.
    let backup = muster.path("backup");
    muster.done(&["backup", &backup]);
    muster.done(&["restore", &backup, "--replace"]);
    let database = muster.key_file().with_file_name("muster.db");
    let mut bytes = std::fs::read(&database).unwrap();
    // Bytes 16 and 17 of the file say how long a page is.
    let length = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    let page = bytes.len() / length / 2 * length;
    bytes[page..page + 64].fill(0xa5);
    std::fs::write(&database, bytes).unwrap();
    let (code, found) = doctor(&muster);
    assert_eq!(code, 1, "{found}");
    let text = muster.run(&["doctor"]).data;
    assert!(text.contains("FAIL") && text.contains("→"), "{text}");
}

#[test]
fn what_the_doctor_cannot_look_at_hides_nothing_else_on_sqlite() {
    on_sqlite(what_cannot_be_looked_at_hides_nothing_else);
}

#[test]
fn what_the_doctor_cannot_look_at_hides_nothing_else_on_postgresql() {
    on_postgresql(what_cannot_be_looked_at_hides_nothing_else);
}

fn what_cannot_be_looked_at_hides_nothing_else(make: Make) {
    let (muster, _sandbox) = connected(make, None, 12);
    let sound = doctor(&muster).1["findings"].as_array().unwrap().len();
    let advice = |found: &Value, code: &str| {
        let findings = found["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["code"] == code);
        finding.unwrap()["next"].as_str().unwrap().to_owned()
    };
    muster.sql("UPDATE connections SET policy = 'no policy'");
    let (code, found) = doctor(&muster);
    assert_eq!(
        (code, complaints(&found)),
        (1, vec!["connection.health".to_owned()])
    );
    assert_eq!(found["findings"].as_array().unwrap().len(), sound);
    assert!(advice(&found, "connection.health").contains("backup"));

    muster.sql("DROP TABLE outbox");
    let (code, found) = doctor(&muster);
    assert_eq!(code, 1, "{found}");
    assert_eq!(
        complaints(&found),
        [
            "database.integrity",
            "connection.health",
            "outbox.waiting",
            "outbox.failed"
        ]
    );
    assert_eq!(found["findings"].as_array().unwrap().len(), sound);
    assert!(found.to_string().contains("the table outbox is missing"));
    for code in complaints(&found) {
        assert!(advice(&found, &code).contains("backup"), "{found}");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_at_once() {
    let muster = Muster::new(Database::Sqlite);
    muster.done(&["org", "create", "Nordlys"]);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("postgres://muster@{}/muster", free.local_addr().unwrap());
    drop(free);
    let key = muster.key_file();
    let key = key.to_str().unwrap();
    for command in ["people", "doctor"] {
        let mut child = muster
            .command()
            .args([command, "--database", &address, "--key-file", key])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut looks = 0;
        while child.try_wait().unwrap().is_none() {
            looks += 1;
            assert!(looks < 100, "{command} waits for nobody");
            std::thread::sleep(Duration::from_millis(100));
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("storage.database"), "{said}");
        assert!(said.contains("refused") && !said.contains("busy"), "{said}");
    }
}

/// Root may write everywhere, so the program runs as somebody else.
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_to_is_told() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let muster = Muster::new(Database::Sqlite);
    muster.done(&["org", "create", "Nordlys"]);
    let data = muster.key_file().parent().unwrap().to_owned();
    let is_root = data.metadata().unwrap().uid() == 0;
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&data, 0o555);
    let mut command = muster.command();
    command.args(["doctor", "--format", "json"]);
    if is_root {
        mode(data.parent().unwrap(), 0o755);
        std::os::unix::fs::chown(muster.key_file(), Some(65_534), None).unwrap();
        // A copy that somebody else can reach.
        let binary = data.join("program");
        std::fs::copy(env!("CARGO_BIN_EXE_muster"), &binary).unwrap();
        mode(&binary, 0o755);
        let mut other = std::process::Command::new(binary);
        other.args(["doctor", "--format", "json"]);
        other.env("XDG_DATA_HOME", data.parent().unwrap());
        other.uid(65_534).gid(65_534);
        command = other;
    }
    let output = command.output().unwrap();
    mode(&data, 0o755);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        complaints(&found).contains(&"data.writable".to_owned()),
        "{found}"
    );
}

#[test]
fn what_is_printed_once_stands_nowhere_and_wrong_words_are_wrong_usage() {
    let muster = Muster::new(Database::Sqlite);
    muster.done(&["org", "create", "Nordlys"]);
    let user = [
        "user",
        "create",
        "--email",
        "Kari@nordlys.example",
        "--role",
        "owner",
    ];
    let made = muster.json(&user);
    assert_eq!(made["email"], "kari@nordlys.example");
    let token = muster.json(&["token", "create", "--scope", "people:read,plans:read"]);
    assert_eq!(
        token["scopes"],
        serde_json::json!(["people:read", "plans:read"])
    );
    for secret in [&made["set_password"], &token["token"]] {
        let secret = secret.as_str().unwrap();
        assert!(secret.len() > 50);
        for entry in std::fs::read_dir(muster.key_file().parent().unwrap()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(
                !bytes
                    .windows(40)
                    .any(|window| secret.as_bytes().ends_with(window))
            );
        }
    }
    // A secret that was lost is replaced.
    let again = muster.json(&user);
    assert_eq!(again["account"], made["account"]);
    assert_ne!(again["set_password"], made["set_password"]);
    let again = muster.run(&[&user[..5], &["viewer"]].concat());
    assert_eq!(again.code, 1);
    assert!(again.words.contains("access.exists"), "{}", again.words);
    for (arguments, words) in [
        (
            &["user", "create", "--email", "kari", "--role", "owner"][..],
            "account.address",
        ),
        (
            &["user", "create", "--email", "a@b.no", "--role", "king"],
            "viewer",
        ),
        (&["token", "create", "--scope", "everything"], "audit:read"),
        (&["token", "create", "--scope", "scim"], "token.connection"),
        (
            &[
                "token",
                "create",
                "--scope",
                "scim",
                "--expires",
                "2020-01-01T00:00:00Z",
                "--connection",
                "hr",
            ],
            "token.expired",
        ),
        (&["backup"], "backup.nothing"),
        (&["restore"], "restore.nothing"),
    ] {
        let output = muster.run(arguments);
        assert_eq!(output.code, 2, "{arguments:?}: {}", output.words);
        assert!(
            output.words.contains(words),
            "{arguments:?}: {}",
            output.words
        );
    }
}

#[test]
fn a_restore_says_what_it_needs() {
    let muster = Muster::new(Database::Sqlite);
    muster.done(&["org", "create", "Nordlys"]);
    let file = muster.path("backup");
    muster.done(&["backup", &file, "--erased-list", &muster.path("erased.csv")]);
    let list = std::fs::read_to_string(muster.path("erased.csv")).unwrap();
    assert_eq!(list, "organisation,person,erased_at\n");
    for (arguments, code, words) in [
        (&["backup", &file][..], 1, "backup.exists"),
        (&["restore", &file], 1, "restore.not_empty"),
        (
            &["restore", "--confirm", "send"],
            1,
            "restore.nothing_to_confirm",
        ),
        (&["restore", "/nowhere"], 1, "backup.file"),
        (&["restore", &file, "--check"], 0, ""),
        (&["backup", &file, "--force"], 0, ""),
    ] {
        let output = muster.run(arguments);
        assert_eq!(output.code, code, "{arguments:?}: {}", output.words);
        assert!(
            output.words.contains(words),
            "{arguments:?}: {}",
            output.words
        );
    }
    // Without the key nobody restores, and none is made that would open nothing.
    let other = Muster::new(Database::Sqlite);
    let output = other.run(&["restore", &file]);
    assert_eq!(output.code, 1);
    assert!(output.words.contains("key.file"), "{}", output.words);
    assert!(!other.has_data());
    // With the key of that day named, a new one is made here and wraps anew.
    let key = muster.key_file();
    let key = key.to_str().unwrap();
    other.done(&[
        "restore",
        &file,
        "--backup-key",
        key,
        "--erased",
        &muster.path("erased.csv"),
    ]);
    assert_ne!(
        std::fs::read(other.key_file()).unwrap(),
        std::fs::read(key).unwrap()
    );
    assert_eq!(other.lines(&["people", "--format", "ndjson"]).len(), 0);
}
