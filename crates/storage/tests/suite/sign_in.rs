//! Accounts, their one-time links, and tokens.

use std::time::Duration;

use muster_model::values::Email;
use muster_storage::{NewToken, Role, Secret, TokenScope};

use crate::bench::Bench;
use crate::company::Company;

on_both_engines!(
    one_account_enters_several_organisations_and_its_link_ends,
    a_token_is_found_while_it_is_good_and_never_stands_in_the_clear,
);

const DAY: Duration = Duration::from_secs(86_400);

async fn one_account_enters_several_organisations_and_its_link_ends(bench: Bench) {
    let (one, two) = (
        bench.organisation("Nordlys").await,
        bench.organisation("Aurora").await,
    );
    let address = Email::parse("Kari.Åsnes@Nordlys.example").unwrap();
    let mut transaction = bench.begin(&one).await;
    let (access, first) = transaction
        .give_access(&address, Role::Owner, DAY)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let first = first.unwrap();
    let found = bench.storage.account_of_link(&first).await.unwrap();
    assert_eq!(found, Some(access.account));
    let mut transaction = bench.begin(&one).await;
    let again = transaction.give_access(&address, Role::Viewer, DAY).await;
    assert_eq!(again.unwrap_err().code(), "access.exists");
    drop(transaction);
    // A lost link is replaced, and nothing else changes.
    bench.clock.set("2025-06-02T09:00:00Z");
    let mut transaction = bench.begin(&one).await;
    let (again, lost) = transaction
        .give_access(&address, Role::Owner, DAY)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(again, access);
    assert_eq!(bench.storage.account_of_link(&first).await.unwrap(), None);
    let first = lost.unwrap();
    let found = bench.storage.account_of_link(&first).await.unwrap();
    assert_eq!(found, Some(access.account));

    let same = Email::parse(" kari.åsnes@NORDLYS.example").unwrap();
    let mut transaction = bench.begin(&two).await;
    let (there, second) = transaction
        .give_access(&same, Role::Viewer, DAY)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(there.account, access.account);
    // The newer link is the one that is good, until its time is over.
    let second = second.unwrap();
    assert_eq!(bench.storage.account_of_link(&first).await.unwrap(), None);
    let found = bench.storage.account_of_link(&second).await.unwrap();
    assert_eq!(found, Some(access.account));
    bench.clock.set("2025-06-03T09:00:00Z");
    assert_eq!(bench.storage.account_of_link(&second).await.unwrap(), None);
    assert_eq!(bench.read(&one).await.accesses().await.unwrap(), [access]);

    // Who has a password is sent no link to set one.
    bench
        .raw_execute("UPDATE accounts SET password_hash = 'made up'")
        .await;
    let three = bench.organisation("Polaris").await;
    let mut transaction = bench.begin(&three).await;
    let (_, link) = transaction
        .give_access(&same, Role::Viewer, DAY)
        .await
        .unwrap();
    assert!(link.is_none());
    let again = transaction.give_access(&same, Role::Viewer, DAY).await;
    assert_eq!(again.unwrap_err().code(), "access.exists");
}

async fn a_token_is_found_while_it_is_good_and_never_stands_in_the_clear(bench: Bench) {
    let company = Company::found(&bench, "Nordlys").await;
    let new = NewToken {
        scopes: [TokenScope::Scim, TokenScope::PeopleRead].into(),
        connection: Some(company.id()),
        expires_at: Some("2025-07-01T00:00:00Z".parse().unwrap()),
    };
    let mut transaction = company.begin().await;
    let (id, secret) = transaction.create_token(&new).await.unwrap();
    transaction.commit().await.unwrap();
    let presented = Secret::presented(secret.expose());
    let token = bench.storage.token(&presented).await.unwrap().unwrap();
    assert_eq!(
        (token.id, token.organisation),
        (id, company.organisation.id)
    );
    assert_eq!(
        (token.scopes, token.connection),
        (new.scopes, new.connection)
    );
    assert_eq!(format!("{secret:?}"), "Secret(••••)");
    let other = Secret::presented(&format!("{}x", secret.expose()));
    assert_eq!(bench.storage.token(&other).await.unwrap(), None);
    let digests = bench.raw_bytes("SELECT digest FROM tokens").await;
    assert_ne!(digests[0], secret.expose().as_bytes());

    bench.clock.set("2025-07-01T00:00:00Z");
    assert_eq!(bench.storage.token(&presented).await.unwrap(), None);
    bench.clock.set("2025-06-02T08:00:00Z");
    let mut transaction = company.begin().await;
    assert!(transaction.revoke_token(id).await.unwrap());
    assert!(!transaction.revoke_token(id).await.unwrap());
    transaction.commit().await.unwrap();
    assert_eq!(bench.storage.token(&presented).await.unwrap(), None);
    assert!(
        company.read().await.tokens().await.unwrap()[0]
            .revoked_at
            .is_some()
    );
}
