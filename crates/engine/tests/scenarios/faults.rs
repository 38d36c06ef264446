//! Every fault of the simulator, on a first read and on a later one, with and
//! without somebody whose own record says that they left.
//!
//! What must hold in each case: every cell of the directory is what it was or
//! what is true, and nobody is there whom neither knows. Who left loses access
//! in that very run wherever the record can be read and the account is right
//! (a gate that never opens fails here), else with the next read that goes
//! well; after it the directory is that of a world that never saw the fault.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use futures::StreamExt;
use muster_engine::applying::Choice;
use muster_model::{HoldKind, RunReport};
use muster_sandbox::Fault;
use muster_sandbox::company::{Company, EndReason, HardCaseKind, Rehearsal};

use crate::world::{Directory, Setting, TRIPLETEX, World, rehearsal};

/// When the source was well last, and when the fault shows.
const BEFORE: i32 = 60;
const TODAY: i32 = 65;
/// Cases played at a time.
pub(crate) const AT_ONCE: usize = 4;

/// A fault, and whether the record of who left can be read in spite of it.
pub(crate) const CASES: [(&str, bool); 17] = [
    ("empty", false),
    ("short-page", true),
    ("truncated-body", true),
    ("throttle", true),
    ("server-error", true),
    ("expired-token", true),
    ("permission-loss", true),
    ("duplicate-rows", true),
    ("moving-pages", true),
    ("slow", true),
    ("drop-field:email", true),
    ("drop-field:employments", false),
    ("drop-field:employments.endDate", false),
    ("drop-field:employeeNumber", true),
    ("drop-field:department", true),
    ("wrong-company", false),
    ("stale", false),
];

/// Is the fault there when the source is read for the first time?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    First,
    Later,
}

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Play {
    pub(crate) when: When,
    pub(crate) with_leaver: bool,
}

pub(crate) const PLAYS: [Play; 4] = [
    Play {
        when: When::First,
        with_leaver: false,
    },
    Play {
        when: When::First,
        with_leaver: true,
    },
    Play {
        when: When::Later,
        with_leaver: false,
    },
    Play {
        when: When::Later,
        with_leaver: true,
    },
];

/// How a play went.
pub(crate) struct Played {
    before: Directory,
    after: Directory,
    finally: Directory,
    pub(crate) report: RunReport,
    next: RunReport,
    state: &'static str,
}

/// Somebody to whom nothing happens in two months, who stands on the first page
/// and manages nobody.
pub(crate) fn leaver(rehearsal: &Rehearsal) -> u64 {
    let company = rehearsal.on_day(TODAY);
    let changed = rehearsal.between(0, TODAY).changed;
    let cast: Vec<u64> = rehearsal
        .hard_cases()
        .into_iter()
        .flat_map(|case| case.employees)
        .collect();
    company
        .employees
        .iter()
        .filter(|one| one.is_running_on(company.as_of) && one.work_email.is_some())
        .filter(|one| !changed.contains(&one.id) && !cast.contains(&one.id))
        .filter(|one| {
            company
                .departments
                .iter()
                .all(|department| department.manager != Some(one.id))
        })
        .map(|one| one.id)
        .next()
        .unwrap()
}

/// The company, with the last day of somebody typed in.
pub(crate) fn with_last_day(mut company: Company, id: u64, days_ago: i64) -> Company {
    let last = company
        .as_of
        .checked_sub(jiff::ToSpan::days(days_ago))
        .unwrap();
    let employee = company
        .employees
        .iter_mut()
        .find(|one| one.id == id)
        .unwrap();
    employee.version += 1;
    for engagement in &mut employee.engagements {
        if engagement.end_date.is_none() {
            engagement.end_date = Some(last);
            engagement.end_reason = Some(EndReason::Employee);
            engagement.version += 1;
        }
    }
    company
}

pub(crate) fn today(rehearsal: &Rehearsal, play: Play) -> Company {
    let company = rehearsal.on_day(TODAY);
    if play.with_leaver {
        with_last_day(company, leaver(rehearsal), 1)
    } else {
        company
    }
}

/// A world up to the moment before the fault. In a first read every other person
/// is in the directory already, by hand and with access.
async fn prepared(rehearsal: &Rehearsal, play: Play, company: Company) -> World {
    let setting = Setting {
        page_size: 15,
        earlier: rehearsal.shifted(TODAY),
        ..Setting::rehearsed(rehearsal, BEFORE)
    };
    let world = World::new(setting).await;
    match play.when {
        When::First => {
            let leaver = leaver(rehearsal);
            let now = rehearsal.on_day(TODAY);
            let known: Vec<_> = now
                .employees
                .iter()
                .filter(|one| one.is_running_on(now.as_of) && one.work_email.is_some())
                .filter(|one| one.id.is_multiple_of(2) || one.id == leaver)
                .collect();
            world.add_by_hand(&known).await;
        }
        When::Later => {
            world.sync_well().await;
            world.let_everybody_in().await;
            world.clock.wait(3);
            world.sync_well().await;
        }
    }
    world.turn_to(company);
    world
}

/// A read that goes well. What only a brake holds is released, as an administrator
/// would who has read why it is held.
async fn sync_and_release(world: &World) -> RunReport {
    let made = world.sync().await;
    assert_eq!(made.report.error, None);
    let allow: BTreeSet<HoldKind> = made
        .report
        .holds
        .iter()
        .filter_map(|hold| HoldKind::from_word(&hold.kind))
        .filter(|kind| kind.can_be_released())
        .collect();
    if !allow.is_empty() {
        let choice = Choice {
            allow,
            ..Choice::default()
        };
        let plan = made.planned.unwrap().id.to_string();
        let applied = world.engine.apply(&world.organisation, &plan, None, choice);
        assert_eq!(applied.await.unwrap().report.counts.failed, 0);
    }
    made.report
}

pub(crate) async fn play(
    rehearsal: &Rehearsal,
    play: Play,
    company: Company,
    faults: &[Fault],
) -> Played {
    let world = prepared(rehearsal, play, company.clone()).await;
    // Of two who manage each other neither statement is taken, unless one of them
    // stood alone in some read: then that one stays. Both are what the source says.
    let ring: Vec<String> = rehearsal
        .hard_cases()
        .into_iter()
        .filter(|case| case.kind == HardCaseKind::ManagerCycle)
        .flat_map(|case| case.employees)
        .map(|id| format!("{TRIPLETEX}/{id}"))
        .collect();
    let look = async || {
        let mut directory = world.directory().await;
        for person in &ring {
            directory.forget(person, "manager");
        }
        directory
    };
    let before = look().await;
    world.faults(faults);
    let report = world.sync().await.report;
    let after = look().await;
    let state = world.connection().await.state.word();

    world.faults(&[]);
    // What a fault did to the source itself is mended too.
    world.turn_to(today(rehearsal, play));
    world.clock.wait(3);
    let next = sync_and_release(&world).await;
    // Whoever was first seen in the read before may lose access in this one.
    world.clock.wait(25);
    sync_and_release(&world).await;
    let finally = look().await;
    world.end().await;
    Played {
        before,
        after,
        finally,
        report,
        next,
        state,
    }
}

/// One line of the page.
fn line(fault: &str, play: Play, played: &Played, leaver: &str) -> String {
    let words = |words: Vec<String>| {
        if words.is_empty() {
            "–".to_owned()
        } else {
            words.join(", ")
        }
    };
    let held = |report: &RunReport| {
        words(
            report
                .holds
                .iter()
                .map(|hold| format!("{} {}", hold.rows, hold.kind))
                .collect(),
        )
    };
    let doubts = played
        .report
        .evidence
        .doubts
        .iter()
        .map(|doubt| doubt.kind.code().to_owned())
        .collect();
    let outcome = match &played.report.error {
        Some(error) => format!("{} ({})", played.report.outcome.name(), error.code),
        None => played.report.outcome.name().to_owned(),
    };
    let at = |directory: &Directory| {
        directory
            .cell(&format!("{TRIPLETEX}/{leaver}"), "access")
            .unwrap_or("–")
            .to_owned()
    };
    let leaver = if play.with_leaver {
        format!("{}, then {}", at(&played.after), at(&played.finally))
    } else {
        "nobody leaves".to_owned()
    };
    let when = match play.when {
        When::First => "first",
        When::Later => "later",
    };
    format!(
        "| {fault} | {when} | {leaver} | {outcome} | {} | {} | {} |",
        held(&played.report),
        words(doubts),
        held(&played.next),
    )
}

/// In the first read of these, people who have left look employed.
const SHOWS_THE_PAST: [&str; 2] = ["stale", "drop-field:employments.endDate"];

/// An old answer gives nobody access, takes it from nobody, and its people end
/// without it.
fn access_by_the_past(played: &Played) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, cells) in &played.after.0 {
        let before = played.before.cell(name, "access").unwrap_or("not_invited");
        if cells["access"] != before {
            wrong.push(format!("{name} has access {}", cells["access"]));
        }
    }
    for (name, cells) in &played.finally.0 {
        let is_new = !played.before.0.contains_key(name);
        if is_new && cells["access"] == "active" {
            wrong.push(format!("{name} got access by an old answer"));
        }
    }
    for name in played.before.0.keys() {
        if !played.after.0.contains_key(name) {
            wrong.push(format!("{name} vanished"));
        }
    }
    wrong
}

/// What is wrong with a case. `readable` says whether the record of who left can
/// be read in spite of the faults; `None` where that depends on chance.
pub(crate) fn judged(
    (faults, readable): (&[&str], Option<bool>),
    play: Play,
    played: &Played,
    truth: &Played,
    leaver: u64,
) -> Vec<String> {
    let case = format!("{} {play:?}", faults.join(" + "));
    let mut wrong = Vec::new();
    let shows_the_past = |fault: &&str| SHOWS_THE_PAST.contains(fault);
    let past = play.when == When::First && faults.iter().any(shows_the_past);
    if past {
        wrong.extend(
            access_by_the_past(played)
                .into_iter()
                .map(|stray| format!("{case}: {stray}")),
        );
    } else {
        for stray in played.after.strays(&played.before, &truth.after) {
            // The newer of two rows stood on the page that was lost: the older one is
            // what a first read knows.
            let is_older = readable.is_none()
                && faults.contains(&"duplicate-rows")
                && play.when == When::First
                && stray.contains(", field ");
            if is_older {
                continue;
            }
            // An engagement that is new is known without its last day, beside older
            // ones with theirs.
            let no_ends = faults.iter().any(|fault| fault.ends_with(".endDate"));
            let in_part = no_ends && stray.contains(", engagements ");
            if !in_part {
                wrong.push(format!("{case}: {stray}"));
            }
        }
    }
    let mut finally = played.finally.clone();
    if past {
        finally
            .0
            .retain(|name, _| truth.finally.0.contains_key(name));
    }
    for difference in finally.differences(&truth.finally) {
        // Who gave a name first, hand or source, is remembered.
        if !(past && difference.contains(", owner ")) {
            wrong.push(format!("{case}: in the end {difference}"));
        }
    }
    if play.with_leaver {
        let name = format!("{TRIPLETEX}/{leaver}");
        let access = |directory: &Directory| directory.cell(&name, "access").unwrap().to_owned();
        // Nobody is suspended in the first read of a record.
        let at_once = readable.map(|readable| readable && play.when == When::Later);
        let after = access(&played.after);
        let is_expected = match at_once {
            Some(at_once) => after == if at_once { "suspended" } else { "active" },
            None => after == "suspended" || after == "active",
        };
        if !is_expected {
            wrong.push(format!("{case}: {name} is {after}"));
        }
        if access(&played.finally) != "suspended" {
            wrong.push(format!("{case}: {name} stays"));
        }
    }
    wrong
}

const HEAD: &str = "# Faults of a source, and what follows

Each fault of the simulator (`muster sandbox tripletex --fault NAME`), on the first read of a connection and on a later one, in a firm of sixty people; each once more with somebody whose own record says that they have left. In the case \"first\" every other person is in the directory before, by hand and with access. The page is written by the test `faults_change_nothing_that_is_not_true` and compared with it in every run.

In none of these cases does anybody lose access, a field or their place who should not, get access back who has left, or appear whom the firm does not know. The column \"who left\" says what access that person has after the run with the fault, and in the end; the first read of a record never takes access away, whatever it says. In the end (two reads that go well, a day apart, and what a brake holds released by hand) the directory is that of a firm whose source was never ill, in every field of every person, with these exceptions:

- A first read that is thirty days old (`stale`), or in which no employment says when it ends (`drop-field:employments.endDate`), shows people as employed who have left. Nothing is known then that could contradict it. They come into the directory without access, and are ended by the next read that goes well.
- An old copy of the source (`stale`) is known by a record whose revision ran backwards. A firm in which no record's own revision moved in those thirty days shows none, and the copy is believed; brakes and confirmation by id still hold.
- Two people who manage each other are listed, and neither statement is taken. Where a fault hides one of the two records, the other statement is taken and stays.

| fault | read | who left | outcome | held | doubts | held at the next read |
|---|---|---|---|---|---|---|
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_change_nothing_that_is_not_true() {
    let rehearsal = rehearsal(60, 1);
    let leaver = leaver(&rehearsal);
    let mut truths = Vec::new();
    for one in PLAYS {
        let truth = play(&rehearsal, one, today(&rehearsal, one), &[]).await;
        truths.push((one, truth));
    }
    let cases = CASES
        .into_iter()
        .flat_map(|case| PLAYS.into_iter().map(move |play| (case, play)));
    let rehearsal = &rehearsal;
    let truths = &truths;
    let results: Vec<(String, Vec<String>)> = futures::stream::iter(cases)
        .map(|(case, one)| async move {
            let fault: Fault = case.0.parse().unwrap();
            let played = play(rehearsal, one, today(rehearsal, one), &[fault]).await;
            let (_, truth) = truths.iter().find(|(of, _)| *of == one).unwrap();
            let wrong = judged((&[case.0], Some(case.1)), one, &played, truth, leaver);
            let line = line(case.0, one, &played, &leaver.to_string());
            let failing = played.report.error.is_some();
            assert_eq!(played.state == "failing", failing, "{line}");
            (line, wrong)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut page = HEAD.to_owned();
    let mut wrong = Vec::new();
    for (line, of_case) in results {
        writeln!(page, "{line}").unwrap();
        wrong.extend(of_case);
    }
    assert!(wrong.is_empty(), "{}\n{page}", wrong.join("\n"));
    compare_with_page(&page);
}

/// The page in the repository is what this run printed.
fn compare_with_page(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/faults.md");
    if std::env::var_os("MUSTER_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/faults.md says something else; write it with MUSTER_WRITE_DOCS=1:\n{page}"
    );
}
