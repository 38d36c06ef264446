//! The key's files: whatever comes together, no key that opens the data is lost, and
//! none is made that opens nothing.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::muster::{Database, Muster, Output};
use super::{Make, make_private, on_postgresql, on_sqlite, spawned};

#[test]
fn two_rotations_and_a_kill_on_sqlite() {
    on_sqlite(a_rotation_that_was_killed_is_finished_by_the_next_and_its_key_is_never_written_over);
}

#[test]
fn two_rotations_and_a_kill_on_postgresql() {
    on_postgresql(
        a_rotation_that_was_killed_is_finished_by_the_next_and_its_key_is_never_written_over,
    );
}

#[test]
fn rotations_at_once_on_sqlite() {
    on_sqlite(rotations_at_once_follow_each_other);
}

#[test]
fn rotations_at_once_on_postgresql() {
    on_postgresql(rotations_at_once_follow_each_other);
}

#[test]
fn a_lost_key_on_sqlite() {
    on_sqlite(a_key_is_never_made_beside_data_and_the_one_that_opens_them_is_named);
}

#[test]
fn a_lost_key_on_postgresql() {
    on_postgresql(a_key_is_never_made_beside_data_and_the_one_that_opens_them_is_named);
}

#[test]
fn nothing_there_on_sqlite() {
    on_sqlite(what_only_looks_makes_nothing);
}

#[test]
fn nothing_there_on_postgresql() {
    on_postgresql(what_only_looks_makes_nothing);
}

fn beside(muster: &Muster, what: &str) -> PathBuf {
    muster
        .key_file()
        .with_file_name(format!("muster.key.{what}"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The names beside the key that begin with its own.
fn key_files(muster: &Muster) -> Vec<String> {
    let folder = muster.key_file();
    let mut names: Vec<String> = std::fs::read_dir(folder.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("muster.key"))
        .collect();
    names.sort();
    names
}

fn founded(make: Make) -> Muster {
    let muster = Muster::new(make().unwrap());
    muster.done(&["org", "create", "Nordlys"]);
    muster
}

fn people(muster: &Muster) -> Output {
    muster.run(&["people"])
}

/// Files as a kill between the commit and the swap leaves them; gives the old and the
/// new key.
fn killed_before_the_swap(muster: &Muster) -> (String, String) {
    let old = read(&muster.key_file());
    muster.done(&["key", "rotate"]);
    let new = read(&muster.key_file());
    std::fs::rename(muster.key_file(), beside(muster, "new")).unwrap();
    std::fs::write(muster.key_file(), &old).unwrap();
    make_private(&muster.key_file());
    (old, new)
}

fn a_rotation_that_was_killed_is_finished_by_the_next_and_its_key_is_never_written_over(
    make: Make,
) {
    let muster = founded(make);
    let (_, new) = killed_before_the_swap(&muster);
    // Whoever holds the lock may be about to swap: nobody else touches the files, and a
    // command that needs them waits.
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(beside(&muster, "lock"))
        .unwrap();
    lock.try_lock().unwrap();
    let mut waiting: Vec<_> = [&["key", "rotate"][..], &["key", "rotate"], &["people"]]
        .into_iter()
        .map(|arguments| spawned(&muster, arguments))
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(700));
    for child in &mut waiting {
        assert!(child.try_wait().unwrap().is_none(), "it did not wait");
    }
    assert_eq!(read(&beside(&muster, "new")), new);
    // It dies without a trace.
    drop(lock);
    for mut child in waiting {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(people(&muster).code, 0);
    assert!(!beside(&muster, "new").exists());
    // The one that was interrupted is among the earlier keys, and so is the one before it.
    let kept: Vec<String> = key_files(&muster)
        .iter()
        .filter(|name| name.contains(".old-"))
        .map(|name| read(&muster.key_file().with_file_name(name)))
        .collect();
    assert!(kept.contains(&new));

    // A new key that opens nothing yet keeps nobody waiting.
    lock_held(&muster, || {
        std::fs::write(beside(&muster, "new"), "a".repeat(64)).unwrap();
        assert_eq!(people(&muster).code, 0);
        std::fs::remove_file(beside(&muster, "new")).unwrap();
        assert_eq!(people(&muster).code, 0);
    });

    // A rotation that fails takes its new key away again.
    let key = read(&muster.key_file());
    std::fs::write(muster.key_file(), "b".repeat(64)).unwrap();
    let output = muster.run(&["key", "rotate"]);
    assert_eq!(output.code, 1);
    assert!(output.words.contains("key.wrong"), "{}", output.words);
    assert!(!beside(&muster, "new").exists());
    std::fs::write(muster.key_file(), key).unwrap();
    assert_eq!(people(&muster).code, 0);
}

fn lock_held(muster: &Muster, work: impl FnOnce()) {
    let lock = File::options()
        .write(true)
        .open(beside(muster, "lock"))
        .unwrap();
    lock.try_lock().unwrap();
    work();
}

fn rotations_at_once_follow_each_other(make: Make) {
    let muster = founded(make);
    let first = read(&muster.key_file());
    let rotations: Vec<_> = (0..4)
        .map(|_| {
            muster
                .command()
                .args(["key", "rotate"])
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut kept = Vec::new();
    for rotation in rotations {
        let output = rotation.wait_with_output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words}");
        assert!(!words.contains("interrupted"), "{words}");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        kept.push(read(Path::new(told["old_key_file"].as_str().unwrap())));
    }
    // Each kept another key, and none the one in use.
    assert!(kept.contains(&first));
    kept.push(read(&muster.key_file()));
    kept.sort();
    kept.dedup();
    assert_eq!(kept.len(), 5);
    assert_eq!(key_files(&muster).len(), 6, "{:?}", key_files(&muster));
    assert_eq!(people(&muster).code, 0);
}

fn a_key_is_never_made_beside_data_and_the_one_that_opens_them_is_named(make: Make) {
    let muster = founded(make);
    let told = muster.json(&["key", "rotate"]);
    let kept = PathBuf::from(told["old_key_file"].as_str().unwrap());
    let key = read(&muster.key_file());
    // As after a power cut that took back the commit, and not the files.
    std::fs::rename(muster.key_file(), &kept).unwrap();
    std::fs::write(muster.key_file(), "c".repeat(64)).unwrap();
    for arguments in [&["people"][..], &["backup", "/nowhere"], &["key", "rotate"]] {
        let output = muster.run(arguments);
        assert_eq!(output.code, 1);
        let named = kept.to_str().unwrap();
        assert!(
            output.words.contains("key.wrong") && output.words.contains(named),
            "{}",
            output.words
        );
        assert_eq!(read(&muster.key_file()), "c".repeat(64));
    }
    std::fs::remove_file(muster.key_file()).unwrap();
    std::fs::remove_file(&kept).unwrap();
    for arguments in [
        &["people"][..],
        &["backup", "/nowhere"],
        &["org", "create", "Aurora"],
        &["key", "rotate"],
    ] {
        let output = muster.run(arguments);
        assert_eq!(output.code, 1);
        assert!(output.words.contains("key.file"), "{}", output.words);
        assert!(!muster.key_file().exists(), "{arguments:?}");
    }
    std::fs::write(muster.key_file(), key).unwrap();
    assert_eq!(people(&muster).code, 0);
}

fn what_only_looks_makes_nothing(make: Make) {
    let muster = Muster::new(make().unwrap());
    let backup = muster.path("backup");
    for arguments in [
        &["people"][..],
        &["runs"],
        &["audit", "verify"],
        &["backup", &backup],
        &["key", "rotate"],
        &["token", "create", "--scope", "people:read"],
        &["restore", "--confirm", "send"],
    ] {
        let output = muster.run(arguments);
        assert_eq!(output.code, 1, "{arguments:?}: {}", output.words);
        assert!(
            output.words.contains("storage.none"),
            "{arguments:?}: {}",
            output.words
        );
        assert!(!muster.has_data(), "{arguments:?}");
    }
    muster.done(&["org", "create", "Nordlys"]);
    assert_eq!(people(&muster).code, 0);
}

#[cfg(unix)]
#[test]
fn data_that_are_made_are_for_this_user_alone() {
    use std::os::unix::fs::MetadataExt;
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    let muster = Muster::new(Database::Sqlite);
    let folder = muster.path("d");
    // The test's own mask may hide what is wrong.
    let mut shell = std::process::Command::new("sh");
    let made = shell
        .args([
            "-c",
            "umask 022; exec \"$0\" org create Nordlys --data \"$1\"",
        ])
        .args([muster.command().get_program(), folder.as_ref()])
        .output()
        .unwrap();
    assert!(made.status.success());
    assert_eq!(mode(Path::new(&folder)), 0o700);
    // The files beside the database are there as long as it is open.
    let sandbox = muster.sandbox(&["--people", "3"], None);
    let mut connect = sandbox.connect("hr", "provision");
    connect.extend(["--data".to_owned(), folder.clone()]);
    muster.done(&connect);
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 2);
    // What is there keeps its mode: somebody may have wanted it so.
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o750)).unwrap();
    muster.done(&["people", "--data", &folder]);
    assert_eq!(mode(Path::new(&folder)), 0o750);
}
