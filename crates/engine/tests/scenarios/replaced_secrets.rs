//! A vendor that gives a new refresh token with each access token, and takes
//! each for one use: whatever happens in between, the stored one is the good one.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use muster_engine::connections::Wish;
use muster_model::Preset;
use muster_model::report::Outcome;
use secrecy::SecretString;

use crate::world::{DatabaseKind, Setting, World, rehearsal};

const NAME: &str = "report";

/// What the vendor does with a request for the report.
type OnReport = Arc<dyn Fn(u64) -> Option<String> + Send + Sync>;

/// A vendor with one-use refresh tokens: the first is `r-0`.
struct Vendor {
    base_url: String,
    /// The one that is good now.
    good: Arc<AtomicU64>,
    /// Refresh tokens that were used a second time.
    used_again: Arc<AtomicU64>,
    reports: Arc<AtomicU64>,
}

impl Vendor {
    fn start(on_report: OnReport) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let vendor = Self {
            base_url,
            good: Arc::default(),
            used_again: Arc::default(),
            reports: Arc::default(),
        };
        let (good, used_again, reports) = (
            vendor.good.clone(),
            vendor.used_again.clone(),
            vendor.reports.clone(),
        );
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (good, used_again) = (good.clone(), used_again.clone());
                let (reports, on_report) = (reports.clone(), on_report.clone());
                std::thread::spawn(move || {
                    let Some((head, body)) = socket.ok().and_then(read) else {
                        return;
                    };
                    let (status, answer, mut socket) = match head.0.contains("/oauth2/") {
                        true => {
                            let known = good.load(Ordering::SeqCst);
                            if body.contains(&format!("refresh_token=r-{known}")) {
                                let next = good.fetch_add(1, Ordering::SeqCst) + 1;
                                let answer = format!(
                                    "{{\"access_token\":\"t-{next}\",\"refresh_token\":\"r-{next}\",\"expires_in\":3600}}"
                                );
                                (200, answer, head.1)
                            } else {
                                used_again.fetch_add(1, Ordering::SeqCst);
                                (400, "{\"error\":\"invalid_grant\"}".to_owned(), head.1)
                            }
                        }
                        false => {
                            let number = reports.fetch_add(1, Ordering::SeqCst) + 1;
                            match on_report(number) {
                                Some(answer) => (200, answer, head.1),
                                // Never answers.
                                None => loop {
                                    std::thread::park();
                                },
                            }
                        }
                    };
                    let _ = socket.write_all(
                        format!(
                            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                            answer.len()
                        )
                        .as_bytes(),
                    );
                });
            }
        });
        vendor
    }

    fn wish(&self, refresh_token: &str) -> Wish {
        let own = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            (pairs.iter())
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        Wish {
            name: NAME.to_owned(),
            connector: "workday".to_owned(),
            preset: Preset::Provision,
            base_url: Some(self.base_url.clone()),
            settings: own(&[
                ("tenant", "fjordlys"),
                ("report_owner", "owner"),
                ("report_name", "report"),
                ("authentication", "oauth"),
            ]),
            secrets: [
                ("client_id", "client"),
                ("client_secret", "client-hush"),
                ("refresh_token", refresh_token),
            ]
            .map(|(name, secret)| (name.to_owned(), SecretString::from(secret)))
            .into(),
        }
    }
}

type Asked = ((String, TcpStream), String);

fn read(socket: TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(((first, socket), String::from_utf8(body).ok()?))
}

fn report() -> String {
    r#"{"Report_Entry": [{"Employee_ID": "1", "First_Name": "Amara", "Last_Name": "Nordbø",
        "Work_Email": "amara@fjordlys.example", "Worker_Status": "Active", "Hire_Date": "2020-01-01"}]}"#
        .to_owned()
}

async fn world(kind: DatabaseKind) -> World {
    World::unconnected(Setting {
        database: kind,
        ..Setting::rehearsed(&rehearsal(3, 1), 0)
    })
    .await
}

async fn stored(world: &World) -> String {
    let storage = world.engine.storage();
    let connection = world
        .engine
        .connection(world.organisation.id, NAME)
        .await
        .unwrap();
    let mut reader = storage.read(world.organisation.id).await.unwrap();
    let credentials = reader.credentials(connection.id).await.unwrap().unwrap();
    credentials.expose("refresh_token").unwrap().to_owned()
}

#[tokio::test]
async fn each_run_goes_on_with_the_token_that_the_one_before_was_given() {
    for kind in DatabaseKind::all() {
        let vendor = Vendor::start(Arc::new(|_| Some(report())));
        let world = world(kind).await;
        world.connect(vendor.wish("r-0")).await;
        for run in 1..=3 {
            let made = world.sync_named(NAME).await;
            assert_eq!(made.report.outcome, Outcome::Ok, "{:?}", made.report);
            assert_eq!(stored(&world).await, format!("r-{run}"));
        }
        assert_eq!(vendor.used_again.load(Ordering::SeqCst), 0);
        // Every replacement is in the audit log, and no secret.
        let head = world
            .engine
            .verify_audit(&world.organisation, None)
            .await
            .unwrap();
        assert!(head.broken.is_none(), "{head:?}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_run_that_dies_between_token_and_answer_leaves_the_good_token_behind() {
    for kind in DatabaseKind::all() {
        // The first report never comes.
        let asked = Arc::new(Mutex::new(None));
        let (tell, told) = tokio::sync::oneshot::channel();
        *asked.lock().unwrap() = Some(tell);
        let vendor = Vendor::start(Arc::new(move |number| {
            if let Some(tell) = asked.lock().unwrap().take() {
                let _ = tell.send(());
            }
            (number > 1).then(report)
        }));
        let world = world(kind).await;
        world.connect(vendor.wish("r-0")).await;
        let (engine, organisation) = (world.engine.clone(), world.organisation.clone());
        let run = tokio::spawn(async move {
            let trigger = muster_model::report::Trigger::Manual;
            engine.sync(&organisation, NAME, trigger, None).await
        });
        told.await.unwrap();
        // The access token was used: the refresh token that came with it is stored.
        assert_eq!(stored(&world).await, "r-1");
        run.abort();
        assert!(run.await.unwrap_err().is_cancelled());
        // The process lives on here, so the lease of the dead run is ended by hand.
        let dead = world.engine.runs(&world.organisation, 1).await.unwrap()[0].id;
        let storage = world.engine.storage();
        let mut transaction = storage.begin(world.organisation.id).await.unwrap();
        transaction
            .extend_lease(dead, Duration::ZERO)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let made = world.sync_named(NAME).await;
        assert_eq!(made.report.outcome, Outcome::Ok, "{:?}", made.report);
        assert_eq!(stored(&world).await, "r-2");
        assert_eq!(vendor.used_again.load(Ordering::SeqCst), 0);
        world.end().await;
    }
}

#[tokio::test]
async fn what_is_entered_again_is_used_instead_of_what_was_kept() {
    let vendor = Vendor::start(Arc::new(|_| Some(report())));
    let world = world(DatabaseKind::of_this_run()).await;
    world.connect(vendor.wish("r-0")).await;
    world.sync_named(NAME).await;
    vendor.good.store(70, Ordering::SeqCst);
    let failed = world.sync_named(NAME).await;
    assert_eq!(
        failed.report.error.map(|error| error.code),
        Some("workday.token_refused".into())
    );
    world.connect(vendor.wish("r-70")).await;
    let made = world.sync_named(NAME).await;
    assert_eq!(made.report.outcome, Outcome::Ok, "{:?}", made.report);
    assert_eq!(stored(&world).await, "r-71");
    world.end().await;
}
