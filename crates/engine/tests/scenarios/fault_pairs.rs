//! Every two faults of the simulator at once. What holds for each of them must
//! hold for both together: nothing that is not true comes into the directory,
//! and after reads that go well it is that of a world that never saw a fault.
//!
//! A fixed sample runs always, all pairs with `MUSTER_TEST_LONG`.

use futures::StreamExt;
use muster_sandbox::Fault;

use crate::faults::{AT_ONCE, CASES, PLAYS, Play, judged, leaver, play, today};
use crate::world::rehearsal;

/// A fault, and whether the record of who left can be read in spite of it.
type Case = (&'static str, bool);

/// Of the pairs, every so many are in the sample. A test
/// looks that each fault and each play is met.
const SAMPLED: usize = 25;

/// Two faults that cannot be told apart from one: the field of the one is inside
/// the field of the other.
fn is_one(first: &str, second: &str) -> bool {
    second.starts_with(first) || first.starts_with(second)
}

/// One page is lost, and the other fault moves rows from page to page: whether
/// somebody's record is on the lost one is chance.
fn readable(first: Case, second: Case) -> Option<bool> {
    let loses = |case: Case| ["short-page", "truncated-body"].contains(&case.0);
    let moves = |case: Case| ["duplicate-rows", "moving-pages"].contains(&case.0);
    let is_chance = (loses(first) && moves(second)) || (loses(second) && moves(first));
    (!is_chance).then_some(first.1 && second.1)
}

fn pairs() -> Vec<(Case, Case, Play)> {
    let mut pairs = Vec::new();
    for (place, first) in CASES.into_iter().enumerate() {
        for second in CASES.into_iter().skip(place + 1) {
            if !is_one(first.0, second.0) {
                pairs.extend(PLAYS.into_iter().map(|play| (first, second, play)));
            }
        }
    }
    pairs
}

fn chosen() -> Vec<(Case, Case, Play)> {
    let all = pairs();
    if std::env::var_os("MUSTER_TEST_LONG").is_some() {
        return all;
    }
    all.into_iter().step_by(SAMPLED).collect()
}

#[test]
fn the_sample_meets_every_fault_and_every_play() {
    let sample: Vec<_> = pairs().into_iter().step_by(SAMPLED).collect();
    for (name, _) in CASES {
        let met = |case: &&(Case, Case, Play)| case.0.0 == name || case.1.0 == name;
        assert!(sample.iter().any(|case| met(&case)), "{name}");
    }
    for play in PLAYS {
        assert!(sample.iter().any(|(_, _, of)| *of == play), "{play:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_faults_at_once_change_nothing_that_is_not_true() {
    let rehearsal = rehearsal(60, 1);
    let leaver = leaver(&rehearsal);
    let mut truths = Vec::new();
    for one in PLAYS {
        let truth = play(&rehearsal, one, today(&rehearsal, one), &[]).await;
        truths.push((one, truth));
    }
    let (rehearsal, truths) = (&rehearsal, &truths);
    let wrong: Vec<Vec<String>> = futures::stream::iter(chosen())
        .map(|(first, second, one)| async move {
            let faults: Vec<Fault> = [first.0, second.0].map(|name| name.parse().unwrap()).into();
            let played = play(rehearsal, one, today(rehearsal, one), &faults).await;
            let (_, truth) = truths.iter().find(|(of, _)| *of == one).unwrap();
            let names = [first.0, second.0];
            judged(
                (&names, readable(first, second)),
                one,
                &played,
                truth,
                leaver,
            )
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
