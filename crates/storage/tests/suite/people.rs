use std::collections::BTreeMap;

use jiff::civil::date;
use muster_model::person::Standing;
use muster_model::{
    Access, AccessCause, Engagement, EngagementStatus, Field, MatchKey, PersonId, Said, Value,
};
use muster_storage::PersonQuery;

use crate::bench::Bench;
use crate::company::{Company, fields, person, to_write};

on_both_engines!(
    a_person_reads_back_whole,
    a_stale_version_writes_nothing,
    people_are_found_and_paged,
    keys_of_a_person_follow_the_fields,
    managers_and_administrators_are_told,
    a_key_that_was_given_up_is_remembered,
);

async fn a_person_reads_back_whole(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let mut written = person(PersonId::new(bench.ids()), 1);
    written.owners = BTreeMap::from([(Field::WorkEmail, company.id())]);
    let engagement: Engagement =
        serde_json::from_str(r#"{"id":"1","start_date":"2024-02-29","end_date":null}"#).unwrap();
    written.engagements = BTreeMap::from([(company.id(), vec![engagement])]);
    written.manager = Some(written.id);
    written.employment = EngagementStatus::OnLeave;
    written.access = Access::Suspended;
    written.access_before = Some(Access::Active);
    written.access_cause = Some(AccessCause::Hand);
    written.standing = Standing {
        owner: true,
        administrator: true,
        protected_until: Some(date(2025, 12, 31)),
    };
    let mut transaction = company.begin().await;
    let given = [to_write(written.clone(), &company.key)];
    assert!(transaction.write_people(&given).await.unwrap().is_empty());
    transaction.commit().await.unwrap();

    let mut read = company.read().await.people(&[written.id]).await.unwrap();
    written.version = 1;
    assert_eq!(read, [written.clone()]);

    // And after a change, with the sealed field gone.
    let mut changed = read.remove(0);
    changed.fields.set(Field::NationalId, Said::Absent);
    changed.access = Access::Active;
    changed.access_before = None;
    changed.access_cause = None;
    changed.manager = None;
    let mut transaction = company.begin().await;
    transaction
        .write_people(&[to_write(changed.clone(), &company.key)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    changed.version = 2;
    assert_eq!(
        company.read().await.people(&[changed.id]).await.unwrap(),
        [changed]
    );
    assert_eq!(
        bench
            .raw_numbers("SELECT count(*) FROM people WHERE sealed IS NULL")
            .await,
        [1]
    );
}

async fn a_stale_version_writes_nothing(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people(0..3).await;
    let mut people = company.read().await.people(&ids).await.unwrap();
    people.sort_by_key(|person| person.id);
    let write = |change: &dyn Fn(&mut muster_model::Person)| {
        people
            .iter()
            .map(|person| {
                let mut person = person.clone();
                change(&mut person);
                to_write(person, &company.key)
            })
            .collect::<Vec<_>>()
    };
    let mut transaction = company.begin().await;
    let one = &write(&|person| person.access = Access::Active)[..1];
    assert!(transaction.write_people(one).await.unwrap().is_empty());
    transaction.commit().await.unwrap();

    // The first is at version 2 by now, the second is claimed to be new, a fourth was erased.
    let mut given = write(&|person| {
        person.access = Access::Ended;
        person
            .fields
            .put(Field::WorkEmail, Value::text("moved@nordlys.example"));
    });
    given[1].person.version = 0;
    let mut gone = given[2].clone();
    gone.person.id = PersonId::new(bench.ids());
    given.push(gone.clone());
    let mut transaction = company.begin().await;
    let stale = transaction.write_people(&given).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(stale, [ids[0], ids[1], gone.person.id]);
    let mut read = company.read().await.people(&ids).await.unwrap();
    read.sort_by_key(|person| person.id);
    let access: Vec<_> = read.iter().map(|person| person.access).collect();
    assert_eq!(access, [Access::Active, Access::NotInvited, Access::Ended]);
    // Their keys stayed as well.
    let (snapshot, _) = company.snapshot(Vec::new()).await;
    let moved = MatchKey::WorkEmail
        .digest(&given[0].person.fields, &company.key)
        .unwrap();
    let asked = [(MatchKey::WorkEmail, moved)];
    let holders = company
        .read()
        .await
        .key_holders(company.id(), snapshot, &asked)
        .await
        .unwrap();
    assert_eq!(holders[&asked[0]].people, [ids[2]]);
}

async fn people_are_found_and_paged(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people(0..5).await;
    let mut reader = company.read().await;
    for (query, found) in [
        (PersonQuery::Id(ids[3]), &ids[3..4]),
        (
            PersonQuery::WorkEmail(" AASE.2@Nordlys.EXAMPLE".to_owned()),
            &ids[2..3],
        ),
        (PersonQuery::EmployeeNumber("4".to_owned()), &ids[4..5]),
        (PersonQuery::EmployeeNumber("44".to_owned()), &[]),
        (PersonQuery::WorkEmail(String::new()), &[]),
        (PersonQuery::WorkEmail("%".to_owned()), &[]),
    ] {
        let people = reader.find_people(&query).await.unwrap();
        let people: Vec<_> = people.into_iter().map(|person| person.id).collect();
        assert_eq!(people, found, "{query:?}");
    }
    let first = reader.people_page(None, 2).await.unwrap();
    let second = reader
        .people_page(first.last().map(|person| person.id), 10)
        .await
        .unwrap();
    let paged: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|person| person.id)
        .collect();
    assert_eq!((first.len(), paged), (2, ids));
}

async fn keys_of_a_person_follow_the_fields(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people([1].into_iter()).await;
    let mut person = company.read().await.people(&ids).await.unwrap().remove(0);
    person.fields.set(Field::EmployeeNumber, Said::Null);
    person.fields.put(
        Field::WorkEmail,
        fields(2).value(Field::WorkEmail).unwrap().clone(),
    );
    let mut transaction = company.begin().await;
    transaction
        .write_people(&[to_write(person, &company.key)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let (snapshot, _) = company.snapshot(Vec::new()).await;
    let digest =
        |kind: MatchKey, number| (kind, kind.digest(&fields(number), &company.key).unwrap());
    let asked = [
        digest(MatchKey::WorkEmail, 1),
        digest(MatchKey::WorkEmail, 2),
        digest(MatchKey::EmployeeNumber, 1),
        digest(MatchKey::NationalId, 1),
    ];
    let holders = company
        .read()
        .await
        .key_holders(company.id(), snapshot, &asked)
        .await
        .unwrap();
    let held: Vec<_> = asked.iter().map(|key| holders.contains_key(key)).collect();
    assert_eq!(held, [false, true, false, true]);
}

async fn managers_and_administrators_are_told(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let ids = company.people(0..4).await;
    let mut people = company.read().await.people(&ids).await.unwrap();
    people.sort_by_key(|person| person.id);
    people[1].manager = Some(ids[0]);
    people[2].manager = Some(ids[1]);
    for (person, access) in people
        .iter_mut()
        .zip([Access::Active, Access::Active, Access::Invited])
    {
        person.access = access;
    }
    people[0].standing.administrator = true;
    people[2].standing.administrator = true;
    let given: Vec<_> = people
        .into_iter()
        .map(|person| to_write(person, &company.key))
        .collect();
    let mut transaction = company.begin().await;
    transaction.write_people(&given).await.unwrap();
    transaction.commit().await.unwrap();
    let mut reader = company.read().await;
    assert_eq!(
        reader.manager_edges().await.unwrap(),
        [(ids[1], ids[0]), (ids[2], ids[1])]
    );
    // One of the two administrators has not come in yet.
    assert_eq!(reader.administrators().await.unwrap(), 1);
    assert_eq!(reader.linked_people(company.id()).await.unwrap(), 4);
}

async fn a_key_that_was_given_up_is_remembered(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let other = Company::found(&bench, "Solvind").await;
    let ids = company.people(0..2).await;
    let mut reader = company.read().await;
    let before = reader.people(&ids[..1]).await.unwrap().remove(0);
    drop(reader);
    let held = (
        MatchKey::WorkEmail,
        MatchKey::WorkEmail
            .digest(&before.fields, &company.key)
            .unwrap(),
    );
    let past = async |company: &Company, since: &str| {
        let mut reader = company.read().await;
        reader
            .past_holders(&[held], since.parse().unwrap())
            .await
            .unwrap()
    };
    assert!(past(&company, "1970-01-01T00:00:00Z").await.is_empty());
    let mut after = before.clone();
    after
        .fields
        .put(Field::WorkEmail, Value::text("new.address@nordlys.example"));
    let mut transaction = company.begin().await;
    transaction
        .write_people(&[to_write(after, &company.key)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let found = past(&company, "1970-01-01T00:00:00Z").await;
    assert_eq!(found.get(&held), Some(&vec![ids[0]]));
    assert!(past(&company, "2999-01-01T00:00:00Z").await.is_empty());
    assert!(
        past(&other, "1970-01-01T00:00:00Z").await.is_empty(),
        "another organisation"
    );
}
