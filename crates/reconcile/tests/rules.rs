//! The rules of matching, trust, comparing and employment, one by one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where its made-up house is wrong"
)]

mod world;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use muster_model::evidence::{PastRead, ReadSummary};
use muster_model::link::{Base, Choice, Decision};
use muster_model::policy::{EmptyRule, FirstDifference, Flow, Policy};
use muster_model::{
    Access, AccessCause, DigestKey, DoubtKind, EngagementStatus, Evidence, EvidenceLevel, Field,
    Link, MatchKey, Person, Preset, Reaction, ReadHistory, Said, Situation, SourceRecord, Value,
};
use muster_reconcile::compare::{self, Outcome, Wish};
use muster_reconcile::matching::{self, Match};
use muster_reconcile::trust::{self, Follows, Verdict};
use muster_reconcile::{Candidate, KeyHolders, RecordHolder, decide};
use world::cast::{engagement, introduce, know, record, say, value};

fn key() -> DigestKey {
    DigestKey::new([3; 32])
}

// --- matching

/// A record, and the people and records around it.
struct Case {
    policy: Policy,
    record: SourceRecord,
    candidate: Candidate,
    rivals: Vec<RecordHolder>,
}

/// Kari is in the directory and running; the record has her address.
fn kari() -> Case {
    let mut person = Person::new("00000000-0000-7000-8000-000000000001".parse().unwrap());
    introduce(&mut person, "Kari Moe");
    person.access = Access::Active;
    person.employment = EngagementStatus::Active;
    Case {
        policy: Preset::Provision.policy(),
        record: record("90", "Kari Moe"),
        candidate: Candidate {
            person,
            others: Vec::new(),
            siblings: Vec::new(),
            linked_here: Vec::new(),
            recycled: BTreeSet::new(),
        },
        rivals: Vec::new(),
    }
}

impl Case {
    /// The same words on both sides.
    fn both(mut self, field: Field, text: &str) -> Self {
        say(&mut self.record, field, text);
        know(&mut self.candidate.person, field, text);
        self
    }

    fn differ(mut self, field: Field, theirs: &str, ours: &str) -> Self {
        say(&mut self.record, field, theirs);
        know(&mut self.candidate.person, field, ours);
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// What matching says: "person", or the code of the reason.
    fn found(&self) -> String {
        let mut holders = KeyHolders::default();
        let id = self.candidate.person.id;
        for key_kind in MatchKey::ALL {
            if let Some(digest) = key_kind.digest(&self.candidate.person.fields, &key()) {
                holders.people.insert((key_kind, digest), vec![id]);
            }
            if let Some(digest) = key_kind.digest(&self.record.fields, &key()) {
                holders
                    .records
                    .insert((key_kind, digest), self.rivals.clone());
            }
        }
        holders.candidates.insert(id, self.candidate.clone());
        match matching::find(&self.record, &self.policy, &key(), &holders) {
            Match::New => "new".to_owned(),
            Match::Person { .. } => "person".to_owned(),
            Match::Ambiguous(reason) | Match::Taken(reason) => reason.code.into_owned(),
        }
    }
}

#[test]
fn ple_14_one_key_joins_somebody_known_only_here() {
    assert_eq!(kari().found(), "person");
}

#[test]
fn ple_10_an_address_names_the_same_person_in_any_case() {
    let shouted = kari().with(|case| {
        say(
            &mut case.record,
            Field::WorkEmail,
            " KARI@Fjordlys.Example ",
        )
    });
    assert_eq!(shouted.found(), "person");
}

#[test]
fn each_contradiction_stops_a_key_that_fits() {
    let contradicted = "match.key_contradicted";
    let name = |given: &str, family: &str| {
        kari()
            .differ(Field::GivenName, given, "Kari")
            .differ(Field::FamilyName, family, "Moe")
            .found()
    };
    assert_eq!(name("Lars", "Vik"), contradicted);
    // Only both names together speak against her: people marry, and use short forms.
    assert_eq!(name("Kari", "Vik"), "person");
    assert_eq!(name("Lars", "Moe"), "person");
    assert_eq!(name("KARI", "moe"), "person");
    let born = kari().differ(Field::DateOfBirth, "1990-01-01", "1990-01-02");
    assert_eq!(born.found(), contradicted);
    let national = kari().differ(Field::NationalId, "01019000083", "02019000091");
    assert_eq!(national.found(), contradicted);
    // A contradiction outweighs two agreeing keys.
    let two_keys = kari().both(Field::EmployeeNumber, "7").differ(
        Field::DateOfBirth,
        "1990-01-01",
        "1990-01-02",
    );
    assert_eq!(two_keys.found(), contradicted);
}

#[test]
fn bey_42_a_returner_comes_back_on_two_keys_or_a_strong_one_and_waits_on_one() {
    type Leave = fn(&mut Person);
    let left: [Leave; 2] = [
        |person| person.access = Access::Suspended,
        |person| person.employment = EngagementStatus::Ended,
    ];
    for leave in left {
        let gone = || kari().with(|case| leave(&mut case.candidate.person));
        assert_eq!(gone().found(), "match.returner_on_one_key");
        assert_eq!(gone().both(Field::EmployeeNumber, "7").found(), "person");
        assert_eq!(
            gone().both(Field::NationalId, "01019000083").found(),
            "person"
        );
    }
}

#[test]
fn a_key_that_changed_hands_within_400_days_waits_unless_another_agrees() {
    let recycled = || kari().with(|case| case.candidate.recycled.extend([MatchKey::WorkEmail]));
    assert_eq!(recycled().found(), "match.key_changed_hands");
    assert_eq!(
        recycled().both(Field::EmployeeNumber, "7").found(),
        "person"
    );
    let other_key = kari().with(|case| case.candidate.recycled.extend([MatchKey::NationalId]));
    assert_eq!(other_key.found(), "person");
}

#[test]
fn a_second_record_joins_only_on_a_strong_key_or_on_two() {
    let linked =
        |present: bool| kari().with(|case| case.candidate.linked_here.push(("12".into(), present)));
    assert_eq!(linked(true).found(), "match.taken");
    assert_eq!(
        linked(true).both(Field::NationalId, "01019000083").found(),
        "person"
    );
    assert_eq!(
        linked(true).both(Field::EmployeeNumber, "7").found(),
        "person"
    );
    assert_eq!(linked(false).found(), "match.taken");
}

#[test]
fn whoever_is_known_by_a_national_id_is_never_made_twice() {
    let case = kari()
        .both(Field::NationalId, "01019000083")
        .with(|case| say(&mut case.record, Field::WorkEmail, "new@fjordlys.example"));
    assert!(!case.policy.keys.contains(&MatchKey::NationalId));
    assert_eq!(case.found(), "person");
}

#[test]
fn a_running_rival_makes_a_key_ambiguous_and_one_that_is_over_does_not() {
    let rival = |linked, running| {
        kari().with(|case| {
            case.rivals.push(RecordHolder {
                external_id: "91".into(),
                linked,
                running,
            });
        })
    };
    assert_eq!(rival(false, true).found(), "match.key_on_two_records");
    assert_eq!(rival(false, false).found(), "person");
    assert_eq!(rival(true, true).found(), "person");
}

#[test]
fn keys_that_must_agree_do() {
    let mirror = |case: Case| case.with(|case| case.policy = Preset::Mirror.policy());
    assert_eq!(mirror(kari()).found(), "person");
    let differ = kari().differ(Field::EmployeeNumber, "7", "8");
    assert_eq!(mirror(differ).found(), "match.keys_must_agree");
}

// --- trust: every cell of the table

/// A read of 100 people like the one before it.
struct Read {
    evidence: Evidence,
    summary: ReadSummary,
    history: ReadHistory,
    account: Option<&'static str>,
}

fn now() -> jiff::Timestamp {
    "2025-07-07T06:00:00Z".parse().unwrap()
}

fn summary(present: u64) -> ReadSummary {
    let filled = [Field::WorkEmail, Field::Phone, Field::Engagements];
    ReadSummary {
        present,
        filled: filled.map(|field| (field, present)).into(),
        backwards: 0,
    }
}

fn past(hours_ago: i64, present: u64, proved: bool) -> PastRead {
    PastRead {
        at: now() - jiff::SignedDuration::from_hours(hours_ago),
        summary: summary(present),
        rights: Some(["employees", "salaries"].map(str::to_owned).into()),
        proved,
        only_population_doubted: !proved,
    }
}

fn read() -> Read {
    Read {
        evidence: Evidence {
            level: EvidenceLevel::Counted,
            complete: true,
            account: Some("1234".to_owned()),
            pages: 1,
            declared: Some(100),
            read: 100,
            rights: Some(["employees", "salaries"].map(str::to_owned).into()),
            ..Evidence::none()
        },
        summary: summary(100),
        history: ReadHistory {
            reads: vec![past(3, 100, true)],
            ..ReadHistory::default()
        },
        account: Some("1234"),
    }
}

impl Read {
    fn judge(&mut self) -> Verdict {
        trust::judge(
            &mut self.evidence,
            &self.summary,
            &self.history,
            &Preset::Provision.policy(),
            self.account,
            now(),
        )
    }

    /// Ended, gone, create, field emptied (the phone).
    fn allows(mut self, change: impl FnOnce(&mut Self)) -> [bool; 4] {
        change(&mut self);
        let verdict = self.judge();
        [
            verdict.allows(Follows::Ended),
            verdict.allows(Follows::Gone),
            verdict.allows(Follows::Create),
            verdict.allows_emptying(Field::Phone),
        ]
    }
}

#[test]
fn a_read_like_the_last_one_opens_every_column() {
    assert_eq!(read().allows(|_| {}), [true; 4]);
    for level in [EvidenceLevel::Ended, EvidenceLevel::Whole] {
        assert_eq!(read().allows(|read| read.evidence.level = level), [true; 4]);
    }
}

#[test]
fn each_broken_condition_closes_the_columns_of_its_line() {
    // The columns that a line needs, as the table has them.
    type Break = fn(&mut Read);
    let breaks: [(&str, Break, [bool; 4]); 12] = [
        (
            "account",
            |read| read.evidence.account = Some("9".into()),
            [false; 4],
        ),
        (
            "no account",
            |read| read.evidence.account = None,
            [false; 4],
        ),
        (
            "rights",
            |read| read.evidence.rights = Some(["employees".to_owned()].into()),
            [true, false, true, false],
        ),
        (
            "level",
            |read| read.evidence.level = EvidenceLevel::None,
            [true, false, true, true],
        ),
        (
            "page",
            |read| read.evidence.doubt(DoubtKind::PageFailed, "page 2"),
            [true, false, true, true],
        ),
        (
            "incomplete",
            |read| read.evidence.complete = false,
            [true, false, true, true],
        ),
        (
            "twice",
            |read| read.evidence.doubt(DoubtKind::RecordTwice, "7"),
            [true, false, true, true],
        ),
        (
            "total",
            |read| read.evidence.declared = Some(101),
            [true, false, true, true],
        ),
        (
            "population",
            |read| read.summary = summary(79),
            [true, false, false, true],
        ),
        (
            "fill rate of a key",
            |read| read.summary.filled.extend([(Field::WorkEmail, 50)]),
            [true, false, false, true],
        ),
        (
            "fill rate of the field",
            |read| read.summary.filled.extend([(Field::Phone, 50)]),
            [true, true, true, false],
        ),
        (
            "older",
            |read| read.summary.backwards = 1,
            [false, false, false, false],
        ),
    ];
    for (name, change, columns) in breaks {
        assert_eq!(read().allows(change), columns, "{name}");
    }
    let came_back = |read: &mut Read| read.evidence.doubt(DoubtKind::MissingCameBack, "1");
    assert_eq!(read().allows(came_back), [true, false, true, true]);
}

#[test]
fn the_tolerances_are_reached_and_not_exceeded() {
    for (present, gone) in [(80, true), (79, false), (150, true), (151, false)] {
        let [_, allowed, ..] = read().allows(|read| {
            read.summary = summary(present);
            read.evidence.read = present;
            read.evidence.declared = Some(present);
        });
        assert_eq!(allowed, gone, "{present} of 100");
    }
    // Three of five are a handful, not a catastrophe; four of five are one.
    for (present, gone) in [(2, true), (1, false)] {
        let [_, allowed, ..] = read().allows(|read| {
            read.history.reads = vec![past(3, 5, true)];
            read.summary = summary(present);
            read.evidence.read = present;
            read.evidence.declared = Some(present);
        });
        assert_eq!(allowed, gone, "{present} of 5");
    }
}

#[test]
fn a_firm_that_really_halved_is_believed_after_a_day_without_another_doubt() {
    let halved = |hours_ago: i64, only_population: bool| {
        read().allows(|read| {
            read.summary = summary(50);
            read.evidence.read = 50;
            read.evidence.declared = Some(50);
            let mut before = past(hours_ago, 50, false);
            before.only_population_doubted = only_population;
            read.history.reads = vec![past(48, 100, true), before];
        })
    };
    assert_eq!(halved(24, true), [true; 4]);
    assert_eq!(halved(23, true), [true, false, false, true]);
    assert_eq!(halved(24, false), [true, false, false, true]);
}

#[test]
fn the_first_read_proves_no_silence_and_is_a_measure_for_the_next() {
    let mut first = read();
    first.history.reads.clear();
    let verdict = first.judge();
    assert!(verdict.is_first_read() && verdict.proved());
    assert!(!verdict.allows(Follows::Gone));
    assert!(verdict.allows(Follows::Create));
    let kept = trust::past_read(now(), &first.evidence, first.summary, &verdict);
    assert!(kept.proved && !kept.only_population_doubted);
}

// --- comparing: every line of the table

fn phone(text: &str) -> Said<Value> {
    Said::Value(value(Field::Phone, text))
}

fn base(theirs: &str, ours: &str) -> Base {
    Base {
        theirs: phone(theirs),
        ours: phone(ours),
    }
}

#[test]
fn each_line_of_the_comparing_table_has_its_outcome() {
    let some = base("1", "1");
    let lines: [(Option<&Base>, Said<Value>, Said<Value>); 9] = [
        (None, phone("1"), phone("1")),
        (Some(&some), phone("2"), phone("1")),
        (Some(&some), phone("1"), phone("2")),
        (Some(&some), Said::Null, phone("2")),
        (Some(&some), Said::Null, phone("1")),
        (Some(&some), Said::Absent, phone("2")),
        (None, phone("1"), Said::Absent),
        (None, Said::Null, phone("1")),
        (None, phone("1"), phone("2")),
    ];
    for ((base, theirs, ours), line) in lines.iter().zip(compare::TABLE) {
        let outcome = compare::outcome(Field::Phone, *base, theirs.as_ref(), ours.as_ref());
        assert_eq!(outcome, line.outcome, "{:?}", line.cells);
    }
    let both = compare::outcome(
        Field::Phone,
        Some(&some),
        phone("3").as_ref(),
        phone("2").as_ref(),
    );
    assert_eq!(both, Outcome::Conflict);
}

#[test]
fn a_source_that_does_not_speak_of_a_field_asks_for_nothing() {
    let silent = compare::outcome(Field::Phone, None, Said::Absent, phone("1").as_ref());
    assert_eq!(silent, Outcome::Silent);
}

#[test]
fn a_vendor_that_reformats_makes_no_echo() {
    let agreed = base("0047 1", "+471");
    let again = compare::outcome(
        Field::Phone,
        Some(&agreed),
        phone("0047 1").as_ref(),
        phone("+471").as_ref(),
    );
    assert_eq!(again, Outcome::Same);
}

fn link(base: Option<Base>) -> Link {
    Link {
        external_id: "12".into(),
        person: "00000000-0000-7000-8000-000000000001".parse().unwrap(),
        said: muster_model::Fields::new(),
        revision: None,
        base: base.map(|base| (Field::Phone, base)).into_iter().collect(),
        decisions: BTreeMap::new(),
        swings: BTreeMap::new(),
        read_as: None,
        gone_since: None,
        version: 1,
    }
}

fn wish(flow: Flow, link: &Link, theirs: &Said<Value>, ours: &Said<Value>) -> Option<Wish> {
    let mut policy = Preset::Mirror.policy();
    policy.flows.insert(Field::Phone, flow);
    compare::wish(
        &policy,
        Field::Phone,
        Some(link),
        theirs.as_ref(),
        ours.as_ref(),
        &key(),
    )
}

#[test]
fn the_flow_says_which_way_a_difference_goes() {
    let (theirs, ours) = (phone("1"), phone("2"));
    for (flow, wished) in [
        (Flow::In, Some(Wish::TakeTheirs)),
        (Flow::Out, Some(Wish::GiveOurs)),
        (Flow::Both, Some(Wish::Ask)),
        (Flow::KeyOnly, None),
        (Flow::Off, None),
    ] {
        assert_eq!(wish(flow, &link(None), &theirs, &ours), wished, "{flow:?}");
    }
}

#[test]
fn what_flows_out_is_written_once_and_again_when_ours_moves() {
    let out = |link: &Link, theirs: &Said<Value>, ours: &Said<Value>| {
        wish(Flow::Out, link, theirs, ours).is_some()
    };
    let (none, agreed) = (link(None), link(Some(base("0047 1", "+471"))));
    assert!(out(&none, &Said::Absent, &phone("+471")));
    assert!(!out(&none, &phone("1"), &Said::Absent));
    assert!(!out(&agreed, &phone("0047 1"), &phone("+471")));
    assert!(!out(&agreed, &Said::Absent, &phone("+471")));
    assert!(out(&agreed, &phone("0047 1"), &phone("+472")));
    assert!(out(&agreed, &phone("0047 1"), &Said::Null));
    assert!(out(&agreed, &phone("0047 9"), &phone("+471")));
}

#[test]
fn a_decision_holds_for_its_pair_until_one_of_them_moves() {
    for choice in [Choice::Skip, Choice::Declined] {
        let (theirs, ours) = (phone("1"), phone("2"));
        let mut link = link(None);
        let pair = compare::pair_digest(&key(), Field::Phone, theirs.as_ref(), ours.as_ref());
        link.decisions
            .insert(Field::Phone, Decision { pair, choice });
        let asked =
            |theirs: &Said<Value>, ours: &Said<Value>| wish(Flow::Both, &link, theirs, ours);
        assert_eq!(asked(&theirs, &ours), Some(Wish::Decided));
        assert_eq!(asked(&phone("3"), &ours), Some(Wish::Ask));
        assert_eq!(asked(&theirs, &phone("3")), Some(Wish::Ask));
    }
}

#[test]
fn bey_45_what_is_emptied_follows_the_rule_of_the_policy() {
    let mut policy = Preset::Provision.policy();
    let ask = |policy: &Policy, field, ours: &Said<Value>| {
        compare::wish(policy, field, None, Said::Null, ours.as_ref(), &key())
    };
    assert_eq!(ask(&policy, Field::Phone, &phone("1")), None);
    policy.emptied = EmptyRule::Clear;
    assert_eq!(ask(&policy, Field::Phone, &phone("1")), Some(Wish::Clear));
    // An engagement without an end is open.
    let last = Said::Value(value(Field::EndDate, "2025-06-30"));
    policy.emptied = EmptyRule::Keep;
    assert_eq!(ask(&policy, Field::EndDate, &last), Some(Wish::TakeTheirs));
}

#[test]
fn the_first_answer_of_the_policy_counts_while_nothing_was_agreed() {
    for (first, wished) in [
        (FirstDifference::Ask, Wish::Ask),
        (FirstDifference::TakeTheirs, Wish::TakeTheirs),
    ] {
        let mut policy = Preset::Mirror.policy();
        policy.first_difference = first;
        let (theirs, ours) = (phone("1"), phone("2"));
        let found = compare::wish(
            &policy,
            Field::Phone,
            None,
            theirs.as_ref(),
            ours.as_ref(),
            &key(),
        );
        assert_eq!(found, Some(wished));
    }
}

// --- employment, grace, access

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn bey_32_employment_ends_the_day_after_the_last_one() {
    let job = [engagement("job", "2024-01-01", Some("2025-07-07"))];
    for (today, status) in [
        ("2025-07-07", EngagementStatus::Active),
        ("2025-07-08", EngagementStatus::Ended),
    ] {
        assert_eq!(
            decide::employment(job.iter(), day(today), 0),
            status,
            "{today}"
        );
    }
}

#[test]
fn bey_29_grace_counts_from_the_last_day_and_reaches_to_a_start_within_it() {
    let over = engagement("job", "2024-01-01", Some("2025-07-07"));
    let job = [over.clone()];
    for (today, status) in [
        ("2025-07-12", EngagementStatus::Active),
        ("2025-07-13", EngagementStatus::Ended),
    ] {
        assert_eq!(
            decide::employment(job.iter(), day(today), 5),
            status,
            "{today}"
        );
    }
    let again = [over, engagement("again", "2025-07-20", None)];
    for (grace, status) in [(9, EngagementStatus::Ended), (10, EngagementStatus::Active)] {
        let today = day("2025-07-10");
        assert_eq!(
            decide::employment(again.iter(), today, grace),
            status,
            "{grace}"
        );
    }
}

#[test]
fn nothing_said_is_unknown_and_unknown_takes_nobodys_access() {
    let today = day("2025-07-07");
    assert_eq!(
        decide::employment([].iter(), today, 0),
        EngagementStatus::Unknown
    );
    let person = kari().candidate.person;
    let turn = decide::turn(
        &Preset::Provision.policy(),
        &person,
        Situation::Linked,
        EngagementStatus::Unknown,
        false,
        today,
    );
    assert_eq!(
        (turn.reaction, turn.access),
        (Reaction::Update, Access::Active)
    );
}

#[test]
fn ple_11_what_a_leaving_does_follows_the_access() {
    let leave = |access: Access| {
        let mut person = kari().candidate.person;
        person.access = access;
        let policy = Preset::Provision.policy();
        let ended = EngagementStatus::Ended;
        let today = day("2025-07-07");
        let turn = decide::turn(&policy, &person, Situation::Ended, ended, false, today);
        (turn.reaction, turn.access)
    };
    assert_eq!(
        leave(Access::Active),
        (Reaction::Suspend, Access::Suspended)
    );
    assert_eq!(
        leave(Access::Invited),
        (Reaction::Withdraw, Access::NotInvited)
    );
    assert_eq!(
        leave(Access::NotInvited),
        (Reaction::Suspend, Access::Suspended)
    );
    assert_eq!(leave(Access::Suspended), (Reaction::End, Access::Suspended));
}

#[test]
fn rev_24_bey_35_owner_and_last_administrator_are_spared_whatever_the_policy() {
    let today = day("2025-07-07");
    for preset in [Preset::Provision, Preset::Auto, Preset::Mirror] {
        let policy = Policy {
            ended: muster_model::policy::LeaverReaction::Suspend,
            ..preset.policy()
        };
        let mut owner = kari().candidate.person;
        owner.standing.owner = true;
        let ended = EngagementStatus::Ended;
        let turn = decide::turn(&policy, &owner, Situation::Ended, ended, false, today);
        assert_eq!(
            (turn.reaction, turn.access),
            (Reaction::Report, Access::Active)
        );
        let last = kari().candidate.person;
        let turn = decide::turn(&policy, &last, Situation::Ended, ended, true, today);
        assert_eq!(
            (turn.reaction, turn.access),
            (Reaction::Report, Access::Active)
        );
    }
}

#[test]
fn a_protection_covers_its_last_day() {
    let mut person = kari().candidate.person;
    person.standing.protected_until = Some(day("2025-07-07"));
    for (today, reaction) in [
        ("2025-07-07", Reaction::Report),
        ("2025-07-08", Reaction::Suspend),
    ] {
        let policy = Preset::Provision.policy();
        let ended = EngagementStatus::Ended;
        let turn = decide::turn(&policy, &person, Situation::Gone, ended, false, day(today));
        assert_eq!(turn.reaction, reaction, "{today}");
    }
}

#[test]
fn a_sync_gives_back_only_what_a_sync_took() {
    for (cause, access) in [
        (AccessCause::Sync, Access::Active),
        (AccessCause::Hand, Access::Suspended),
    ] {
        let mut person = kari().candidate.person;
        person.access = Access::Suspended;
        person.access_before = Some(Access::Active);
        person.access_cause = Some(cause);
        let policy = Preset::Provision.policy();
        let today = day("2025-07-07");
        let runs = EngagementStatus::Active;
        let turn = decide::turn(&policy, &person, Situation::Linked, runs, false, today);
        assert_eq!(turn.access, access, "{cause:?}");
    }
}
