//! A firm of more records than are kept between the two passes of planning: each block is
//! loaded and looked at twice, and written while the next one is decided.

use crate::world::{DatabaseKind, Setting, World, plain_staff, rehearsal};

#[tokio::test]
async fn in_a_large_firm_who_shares_a_key_waits_and_who_is_known_is_not_made_twice() {
    for kind in DatabaseKind::all() {
        let rehearsal = rehearsal(5_200, 1);
        let staff = plain_staff(&rehearsal, 0);
        // In the first block and in the last: neither is seen beside the other.
        let (known, twin, other) = (staff[0], staff[1], staff[staff.len() - 1]);
        let mut today = rehearsal.on_day(0);
        let of = |id: u64| move |one: &&mut muster_sandbox::company::Employee| one.id == id;
        let shared = today.employees.iter_mut().find(of(twin)).unwrap();
        let shared = shared.work_email.clone();
        today
            .employees
            .iter_mut()
            .find(of(other))
            .unwrap()
            .work_email = shared;
        let by_hand = today.employees.iter().find(|one| one.id == known).cloned();
        let world = World::new(Setting {
            database: kind,
            page_size: 1_000,
            company: today,
            ..Setting::rehearsed(&rehearsal, 0)
        })
        .await;
        let by_hand = world.add_by_hand(&[&by_hand.unwrap()]).await;

        let first = world.sync_well().await;
        assert!(first.counts.created > 4_000, "{:?}", first.counts);
        assert!(first.counts.ambiguous >= 2, "{:?}", first.counts);
        let linked = world.linked().await;
        assert_eq!(linked.get(&known), Some(&by_hand[0]));
        assert!(!linked.contains_key(&twin) && !linked.contains_key(&other));
        assert_eq!(world.people().await.len(), linked.len());

        world.clock.wait(25);
        let again = world.sync_well().await;
        assert_eq!((again.counts.created, again.counts.linked), (0, 0));
        assert_eq!(again.counts.ambiguous, first.counts.ambiguous);
        world.end().await;
    }
}
