//! A source that can be asked for what changed: between two full reads only that
//! is read, nobody is forgotten by it, and nobody leaves by silence.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use muster_engine::connections::Wish;
use muster_engine::run::Made;
use muster_model::report::{Outcome, Trigger};
use muster_model::{Field, Preset};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::world::{DatabaseKind, Setting, World, rehearsal};

const NAME: &str = "hr";

/// Employees with the hour of their last change.
#[derive(Default)]
struct Books {
    people: BTreeMap<u64, (Value, u32)>,
    /// The vendor's own clock: hours, which have nothing to do with ours.
    hour: u32,
    asked: Vec<Option<String>>,
    fails: bool,
}

struct Vendor {
    base_url: String,
    books: Arc<Mutex<Books>>,
}

impl Vendor {
    fn start(people: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let books = Arc::new(Mutex::new(Books {
            hour: 10,
            ..Books::default()
        }));
        let vendor = Self { base_url, books };
        for id in 1..=people {
            vendor.put(id, &format!("Nordbø{id}"));
        }
        let books = vendor.books.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let books = books.clone();
                std::thread::spawn(move || answer(socket.ok()?, &books));
            }
        });
        vendor
    }

    fn put(&self, id: u64, family_name: &str) {
        let mut books = self.books.lock().unwrap();
        let hour = books.hour;
        let row = json!({"id": id.to_string(), "firstName": format!("Amara{id}"),
            "lastName": family_name, "workEmail": format!("amara{id}@fjordlys.example"),
            "employeeNumber": (1000 + id).to_string(), "status": "Active", "hireDate": "2020-01-01"});
        books.people.insert(id, (row, hour));
    }

    fn at(&self, hour: u32) {
        self.books.lock().unwrap().hour = hour;
    }

    fn asked(&self) -> Vec<Option<String>> {
        std::mem::take(&mut self.books.lock().unwrap().asked)
    }
}

fn clock(hour: u32) -> String {
    format!("2001-01-01T{hour:02}:00:00Z")
}

fn answer(socket: TcpStream, books: &Mutex<Books>) -> Option<()> {
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
    let mut books = books.lock().unwrap();
    let answer = if first.contains("/company_information") {
        json!({"legalName": "Fjordlys AS"})
    } else if first.contains("/employees/changed") {
        if books.fails {
            return write(socket, 500, books.hour, "");
        }
        json!({"employees": {}})
    } else if let Some((_, id)) = first.split_once("/employees/") {
        let id: u64 = id.split(['?', ' ']).next()?.parse().ok()?;
        match books.people.get(&id) {
            Some((row, _)) => row.clone(),
            None => return write(socket, 404, books.hour, ""),
        }
    } else {
        let asked: Value = serde_json::from_slice(&body).ok()?;
        let since = asked["filters"]["lastChanged"]["value"]
            .as_str()
            .map(str::to_owned);
        books.asked.push(since.clone());
        let rows: Vec<Value> = (books.people.values())
            .filter(|(_, changed)| since.as_ref().is_none_or(|since| clock(*changed) >= *since))
            .map(|(row, _)| row.clone())
            .collect();
        json!({"employees": rows})
    };
    write(socket, 200, books.hour, &answer.to_string())
}

fn write(mut socket: TcpStream, status: u16, hour: u32, body: &str) -> Option<()> {
    socket
        .write_all(
            format!(
                "HTTP/1.1 {status} X\r\ndate: Mon, 01 Jan 2001 {hour:02}:00:00 GMT\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
        )
        .ok()
}

async fn connected(kind: DatabaseKind, vendor: &Vendor) -> World {
    let world = World::unconnected(Setting {
        database: kind,
        ..Setting::rehearsed(&rehearsal(3, 1), 0)
    })
    .await;
    world
        .connect(Wish {
            name: NAME.to_owned(),
            connector: "bamboohr".to_owned(),
            preset: Preset::Provision,
            base_url: Some(vendor.base_url.clone()),
            settings: [("company_domain".to_owned(), "fjordlys".to_owned())].into(),
            secrets: [("api_key".to_owned(), SecretString::from("hush"))].into(),
        })
        .await;
    world
}

async fn sync(world: &World, trigger: Trigger) -> Made {
    let made = world
        .engine
        .sync(&world.organisation, NAME, trigger, None)
        .await
        .unwrap();
    assert_eq!(made.report.error, None);
    made
}

async fn family_names(world: &World) -> Vec<String> {
    let mut names: Vec<String> = (world.people().await.iter())
        .filter_map(|person| person.fields.text(Field::FamilyName).map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn only_what_changed_is_read_until_a_full_read_is_due() {
    for kind in DatabaseKind::all() {
        let vendor = Vendor::start(6);
        let world = connected(kind, &vendor).await;
        sync(&world, Trigger::Schedule).await;
        assert_eq!(vendor.asked(), [None]);

        // Three hours later, by our clock and by theirs, one has another name.
        world.clock.wait(3);
        vendor.at(13);
        vendor.put(2, "Solberg");
        let made = sync(&world, Trigger::Schedule).await;
        // From the vendor's ten o'clock, and ten minutes before it.
        assert_eq!(vendor.asked(), [Some("2001-01-01T09:50:00Z".to_owned())]);
        assert_eq!(made.report.outcome, Outcome::Ok, "{:?}", made.report);
        let counts = made.report.counts;
        assert_eq!((counts.updated, counts.unchanged), (1, 5), "{counts:?}");
        assert!(made.report.evidence.changes_since.is_some());
        assert!(family_names(&world).await.contains(&"Solberg".to_owned()));

        // Nothing changed, and nobody is gone; whoever asks himself gets everybody.
        world.clock.wait(3);
        vendor.at(16);
        let made = sync(&world, Trigger::Schedule).await;
        assert_eq!(vendor.asked(), [Some("2001-01-01T12:50:00Z".to_owned())]);
        assert_eq!(made.report.counts.unchanged, 6, "{:?}", made.report);
        sync(&world, Trigger::Manual).await;
        assert_eq!(vendor.asked(), [None]);

        // A day after the last full read everybody is read again.
        world.clock.wait(23);
        sync(&world, Trigger::Schedule).await;
        assert!(vendor.asked()[0].is_some());
        world.clock.wait(1);
        sync(&world, Trigger::Schedule).await;
        assert_eq!(vendor.asked(), [None]);
        world.end().await;
    }
}

#[tokio::test]
async fn nobody_leaves_by_silence_before_a_full_read_misses_them() {
    for kind in DatabaseKind::all() {
        let vendor = Vendor::start(8);
        let world = connected(kind, &vendor).await;
        sync(&world, Trigger::Schedule).await;
        world.let_everybody_in().await;
        sync(&world, Trigger::Manual).await;
        vendor.books.lock().unwrap().people.remove(&3);
        world.clock.wait(3);
        vendor.at(13);
        let made = sync(&world, Trigger::Schedule).await;
        assert_eq!(made.report.people.gone, 0, "{:?}", made.report);
        let counts = made.report.counts;
        assert_eq!((counts.suspended, counts.held), (0, 0), "{counts:?}");
        // The full read misses them, and the source, asked by id, says so too.
        let made = sync(&world, Trigger::Manual).await;
        assert_eq!(made.report.people.gone, 1, "{:?}", made.report);
        assert_eq!(made.report.evidence.confirmed_gone, 1);
        assert_eq!(made.report.counts.suspended, 1);
        // A read of changes neither brings them back nor speaks of them again.
        world.clock.wait(3);
        vendor.at(16);
        vendor.put(5, "Solberg");
        let made = sync(&world, Trigger::Schedule).await;
        assert_eq!(
            made.report.counts.suspended + made.report.counts.restored,
            0
        );
        assert_eq!(made.report.counts.updated, 1);
        world.end().await;
    }
}

#[tokio::test]
async fn a_read_of_changes_that_failed_in_part_is_asked_for_again() {
    let vendor = Vendor::start(4);
    let world = connected(DatabaseKind::of_this_run(), &vendor).await;
    sync(&world, Trigger::Schedule).await;
    vendor.asked();
    vendor.at(13);
    vendor.put(1, "Solberg");
    vendor.books.lock().unwrap().fails = true;
    world.clock.wait(3);
    let made = sync(&world, Trigger::Schedule).await;
    // What was read is applied; from where changes are asked for stays.
    assert_eq!(made.report.counts.updated, 1, "{:?}", made.report);
    vendor.books.lock().unwrap().fails = false;
    world.clock.wait(3);
    vendor.at(16);
    let made = sync(&world, Trigger::Schedule).await;
    let since = Some("2001-01-01T09:50:00Z".to_owned());
    assert_eq!(vendor.asked(), [since.clone(), since]);
    assert_eq!(made.report.counts.unchanged, 4, "{:?}", made.report);
    world.end().await;
}

#[tokio::test]
async fn another_mapping_reads_everybody_again() {
    let vendor = Vendor::start(4);
    let world = connected(DatabaseKind::of_this_run(), &vendor).await;
    sync(&world, Trigger::Schedule).await;
    vendor.asked();
    let mut connection = world
        .engine
        .connection(world.organisation.id, NAME)
        .await
        .unwrap();
    let own = ("map.team".to_owned(), "/lastName".to_owned());
    connection.settings.extend([own]);
    world.set_connection(&connection).await;
    world.clock.wait(3);
    sync(&world, Trigger::Schedule).await;
    assert_eq!(vendor.asked(), [None]);
    world.end().await;
}
