//! Two sources of people in one organisation: who owns a field, and who keeps
//! access, whichever was read first.

use muster_model::report::Outcome;
use muster_model::{Access, EngagementStatus, Field};
use muster_sandbox::Sandbox;
use muster_sandbox::company::{Company, Phone, Rehearsal};

use crate::world::{
    Directory, Setting, World, plain_staff, rehearsal, simulator, with_leavers, without,
};

const HR: &str = "hr";
const PAYROLL: &str = "payroll";
/// What the ids of the second source are higher by.
const APART: u64 = 1_000_000;

/// A second system of the same firm: some of its people under other ids, with
/// other telephone numbers, and without departments.
fn second(company: &Company, people: &[u64]) -> Company {
    let mut second = company.clone();
    second.account_id += 1;
    second.departments.clear();
    second
        .employees
        .retain(|employee| people.contains(&employee.id));
    for employee in &mut second.employees {
        employee.phone = Some(Phone {
            country: Some("NO".to_owned()),
            number: format!("9{:07}", employee.id % 10_000_000),
        });
        employee.id += APART;
        employee.department = None;
        employee.manager = None;
        for engagement in &mut employee.engagements {
            engagement.id += 100 * APART;
            for period in &mut engagement.periods {
                period.id += 100 * APART;
            }
        }
    }
    second
}

/// The number of somebody in the second system, as the directory shows it.
fn payroll_phone(record: u64) -> String {
    format!("\"+479{:07}\"", record % 10_000_000)
}

pub(crate) struct Firm {
    pub(crate) world: World,
    payroll: Sandbox,
    /// In both systems.
    pub(crate) shared: Vec<u64>,
    /// In the first only.
    own: Vec<u64>,
}

pub(crate) async fn firm(rehearsal: &Rehearsal) -> Firm {
    let mut staff = plain_staff(rehearsal, 0);
    // Somebody without a number gets the other source's: nothing owns it before.
    let company = rehearsal.on_day(0);
    staff.retain(|id| {
        company
            .employees
            .iter()
            .any(|one| one.id == *id && one.phone.is_some())
    });
    let (shared, own) = (staff[..6].to_vec(), staff[6..10].to_vec());
    let setting = Setting {
        page_size: 50,
        ..Setting::rehearsed(rehearsal, 0)
    };
    let world = World::unconnected(setting.clone()).await;
    let payroll = simulator(
        &world.clock,
        Setting {
            company: second(&rehearsal.on_day(0), &shared),
            ..setting
        },
    )
    .await;
    world.connect(world.wish_for(&world.sandbox, HR)).await;
    world.connect(world.wish_for(&payroll, PAYROLL)).await;
    Firm {
        world,
        payroll,
        shared,
        own,
    }
}

impl Firm {
    pub(crate) async fn sync(&self, names: &[&str]) {
        for name in names {
            let made = self.world.sync_named(name).await;
            assert_eq!(made.report.error, None);
            assert_eq!(made.report.counts.ambiguous, 0, "{name}");
            assert_eq!(made.report.outcome, Outcome::Ok, "{name}");
            self.world.clock.wait(1);
        }
    }

    async fn standing(&self, record: u64) -> (Access, EngagementStatus) {
        let wanted = record.to_string();
        let links = self.world.links().await;
        let person = links
            .iter()
            .find(|(_, link)| link.external_id.as_str() == wanted)
            .map(|(_, link)| link.person)
            .unwrap();
        let people = self.world.people().await;
        let person = people.iter().find(|one| one.id == person).unwrap();
        (person.access, person.employment)
    }

    pub(crate) async fn end(self) {
        self.payroll.stop().await;
        self.world.end().await;
    }
}

#[tokio::test]
async fn bey_23_the_order_of_sources_owns_a_field_whichever_was_read_first() {
    let rehearsal = rehearsal(60, 1);
    let mut ends: Vec<Directory> = Vec::new();
    for order in [[HR, PAYROLL], [PAYROLL, HR]] {
        let firm = firm(&rehearsal).await;
        firm.sync(&order).await;
        firm.sync(&order).await;
        let directory = firm.world.directory().await;
        for record in &firm.shared {
            let person = format!("{HR}/{record}");
            let number = directory.cell(&person, "field phone").unwrap();
            assert_ne!(number, payroll_phone(*record), "{order:?}: {person}");
            assert_eq!(directory.cell(&person, "owner phone"), Some(HR));
            let other = format!("link {PAYROLL}/{}", record + APART);
            assert_eq!(directory.cell(&person, &other), Some("there"));
        }
        // One person for each human.
        assert_eq!(directory.0.len(), firm.world.people().await.len());
        let before = directory.clone();
        firm.sync(&order).await;
        assert_eq!(before.differences(&firm.world.directory().await), [""; 0]);
        ends.push(directory);
        firm.end().await;
    }
    assert_eq!(ends[0].differences(&ends[1]), [""; 0]);
}

#[tokio::test]
async fn access_follows_the_union_of_both_sources_in_either_order() {
    let rehearsal = rehearsal(60, 1);
    for order in [[HR, PAYROLL], [PAYROLL, HR]] {
        let firm = firm(&rehearsal).await;
        firm.sync(&order).await;
        firm.world.let_everybody_in().await;
        firm.sync(&order).await;
        let (stays, goes) = (firm.shared[0], firm.own[0]);

        let today = with_leavers(rehearsal.on_day(2), &[stays, goes]);
        let payroll = second(&rehearsal.on_day(2), &firm.shared);
        firm.world.turn_to(today);
        firm.payroll.set_company(payroll.clone());
        firm.sync(&order).await;
        firm.sync(&order).await;
        let kept = (Access::Active, EngagementStatus::Active);
        assert_eq!(firm.standing(stays).await, kept, "{order:?}");
        let gone = (Access::Suspended, EngagementStatus::Ended);
        assert_eq!(firm.standing(goes).await, gone, "{order:?}");

        // Now the other source says so too.
        firm.payroll
            .set_company(with_leavers(payroll, &[stays + APART]));
        firm.sync(&order).await;
        firm.sync(&order).await;
        assert_eq!(firm.standing(stays).await, gone, "{order:?}");
        firm.end().await;
    }
}

#[tokio::test]
async fn who_is_gone_from_one_source_waits_for_the_other_and_then_loses_access() {
    let rehearsal = rehearsal(60, 1);
    let firm = firm(&rehearsal).await;
    firm.sync(&[HR, PAYROLL]).await;
    firm.world.let_everybody_in().await;
    firm.sync(&[HR, PAYROLL]).await;
    let (stays, goes) = (firm.shared[0], firm.own[0]);

    firm.world
        .turn_to(without(rehearsal.on_day(2), &[stays, goes]));
    let first = firm.world.sync_named(HR).await.report;
    assert_eq!(first.people.gone, 2);
    assert_eq!(first.evidence.confirmed_gone, 2);
    assert_eq!(first.outcome, Outcome::Held);
    assert_eq!(first.holds[0].kind, "unconfirmed");
    assert_eq!(firm.standing(goes).await.0, Access::Active);

    // The other source is heard, and holds one of them.
    firm.world.clock.wait(1);
    assert_eq!(firm.world.sync_named(PAYROLL).await.report.error, None);
    firm.world.clock.wait(1);
    let second = firm.world.sync_named(HR).await.report;
    assert_eq!((second.counts.held, second.counts.suspended), (0, 1));
    assert_eq!(firm.standing(goes).await.0, Access::Suspended);
    let kept = (Access::Active, EngagementStatus::Active);
    assert_eq!(firm.standing(stays + APART).await, kept);
    firm.end().await;
}

#[tokio::test]
async fn the_phone_of_a_person_known_to_one_source_is_that_source_s() {
    let rehearsal = rehearsal(60, 1);
    let firm = firm(&rehearsal).await;
    // The second source alone.
    firm.sync(&[PAYROLL]).await;
    let people = firm.world.people().await;
    assert_eq!(people.len(), firm.shared.len());
    for person in &people {
        let phone = person.fields.text(Field::Phone).unwrap();
        assert!(phone.starts_with("+479000"));
    }
    firm.end().await;
}
