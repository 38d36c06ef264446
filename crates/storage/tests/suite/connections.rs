use muster_model::evidence::{PastRead, ReadSummary};
use muster_storage::ConnectionState;

use crate::bench::Bench;
use crate::company::{credentials, new_connection};

on_both_engines!(
    a_connection_reads_back_as_it_was_written,
    credentials_are_asked_again_for_another_address,
    a_tampered_address_does_not_get_the_credentials,
);

async fn a_connection_reads_back_as_it_was_written(bench: Bench) {
    let organisation = bench.organisation("Nordlys").await;
    let mut transaction = bench.begin(&organisation).await;
    let mut last = new_connection("zeta");
    last.rank = 0;
    let zeta = transaction.insert_connection(last, None).await.unwrap();
    let mut connection = transaction
        .insert_connection(new_connection("hr"), Some(&credentials("hush")))
        .await
        .unwrap();
    assert_eq!(connection.state, ConnectionState::Draft);
    let twice = transaction
        .insert_connection(new_connection("hr"), None)
        .await
        .unwrap_err();
    assert_eq!(twice.code(), "connection.exists");

    connection.state = ConnectionState::Active;
    connection.account = Some("17".to_owned());
    connection.last_read_at = Some("2025-06-01T00:00:00.000001Z".parse().unwrap());
    connection.last_confirmed_at = Some("2025-06-01T00:00:01Z".parse().unwrap());
    connection.history.push(PastRead {
        at: "2025-06-01T00:00:00Z".parse().unwrap(),
        summary: ReadSummary {
            present: 3,
            ..ReadSummary::default()
        },
        rights: None,
        proved: true,
        only_population_doubted: false,
    });
    connection
        .settings
        .insert("company".to_owned(), "18".to_owned());
    transaction
        .update_connection(&connection, None)
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let mut reader = bench.read(&organisation).await;
    assert_eq!(reader.connection(connection.id).await.unwrap(), connection);
    assert_eq!(
        reader.connection_by_name("hr").await.unwrap().as_ref(),
        Some(&connection)
    );
    assert_eq!(reader.connection_by_name("HR").await.unwrap(), None);
    assert_eq!(
        reader.connections().await.unwrap(),
        [zeta.clone(), connection.clone()]
    );
    let secrets = reader.credentials(connection.id).await.unwrap().unwrap();
    assert_eq!(secrets.expose("token"), Some("hush"));
    assert!(!format!("{secrets:?}").contains("hush"));
    assert_eq!(reader.credentials(zeta.id).await.unwrap(), None);
}

async fn credentials_are_asked_again_for_another_address(bench: Bench) {
    let organisation = bench.organisation("Nordlys").await;
    let mut transaction = bench.begin(&organisation).await;
    let stored = transaction
        .insert_connection(new_connection("hr"), Some(&credentials("hush")))
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let mut other_base = stored.clone();
    other_base.base_url = Some("https://elsewhere.example".to_owned());
    let mut other_host = stored.clone();
    other_host
        .settings
        .insert("host".to_owned(), "us.hr.example".to_owned());
    let mut no_host = stored.clone();
    no_host.host_settings.clear();
    let mut other_connector = stored.clone();
    other_connector.connector = "other".to_owned();
    for changed in [other_base, other_host, no_host, other_connector] {
        let mut transaction = bench.begin(&organisation).await;
        let error = transaction
            .update_connection(&changed, None)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "credentials.asked_again");
        transaction
            .update_connection(&changed, Some(&credentials("new")))
            .await
            .unwrap();
        let secrets = transaction.credentials(stored.id).await.unwrap().unwrap();
        assert_eq!(secrets.expose("token"), Some("new"));
    }
    // None of them was committed.
    let secrets = bench
        .read(&organisation)
        .await
        .credentials(stored.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(secrets.expose("token"), Some("hush"));
}

async fn a_tampered_address_does_not_get_the_credentials(bench: Bench) {
    let organisation = bench.organisation("Nordlys").await;
    let mut transaction = bench.begin(&organisation).await;
    let stored = transaction
        .insert_connection(new_connection("hr"), Some(&credentials("hush")))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    bench
        .raw_execute("UPDATE connections SET base_url = 'https://thief.example'")
        .await;
    let error = bench
        .read(&organisation)
        .await
        .credentials(stored.id)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "credentials.asked_again");
}
