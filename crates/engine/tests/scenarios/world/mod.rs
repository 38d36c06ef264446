//! A world to play a scenario in: a simulator on loopback, a database, an
//! engine over both, and one organisation.

mod database;
mod directory;
mod machine;
mod staff;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use muster_engine::Engine;
use muster_engine::connections::Wish;
use muster_engine::run::Made;
use muster_model::report::Trigger;
use muster_model::{
    Access, DigestKey, Field, Link, MatchKey, Person, PersonId, Preset, RunReport, Value,
};
use muster_sandbox::company::{Company, DEFAULT_YEAR_START, Employee, Rehearsal, RehearsalSpec};
use muster_sandbox::{Fault, Sandbox, SandboxOptions, Vendor};
use muster_storage::{
    Connection, MasterKey, NewOrganisation, Organisation, PersonToWrite, Storage, StorageError,
};
use secrecy::SecretString;

pub(crate) use database::{Database, DatabaseKind};
pub(crate) use directory::Directory;
pub(crate) use machine::{CountingIds, HandClock, NoPause, SeededEntropy, noon};
pub(crate) use staff::{plain_staff, with_leavers, with_new_phones, without};

/// The connection of a world that has one.
pub(crate) const TRIPLETEX: &str = "tripletex";
const MASTER_KEY: &str = "5d0ac0ffee00000000000000000000000000000000000000000000000000beef";

/// What a world begins with.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) database: DatabaseKind,
    pub(crate) company: Company,
    pub(crate) other_company: Company,
    pub(crate) earlier: Company,
    /// Rows asked for in one request.
    pub(crate) page_size: usize,
    /// The organisation's country.
    pub(crate) region: &'static str,
    pub(crate) seed: u64,
    /// Keep exchanges?
    pub(crate) record: bool,
}

impl Setting {
    /// A rehearsal company on a day, in pages of ten.
    pub(crate) fn rehearsed(rehearsal: &Rehearsal, day: i32) -> Self {
        Self {
            database: DatabaseKind::of_this_run(),
            company: rehearsal.on_day(day),
            other_company: rehearsal.other_company(),
            earlier: rehearsal.shifted(day),
            page_size: 10,
            region: "NO",
            seed: 1,
            record: false,
        }
    }
}

/// A rehearsal company.
pub(crate) fn rehearsal(people: u32, seed: u64) -> Rehearsal {
    Rehearsal::new(RehearsalSpec {
        people,
        seed,
        year_start: DEFAULT_YEAR_START,
    })
    .unwrap()
}

/// A world.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) organisation: Organisation,
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) ids: Arc<CountingIds>,
    page_size: usize,
    /// People whom a test made by hand, by the record they will be.
    given: Mutex<BTreeMap<PersonId, String>>,
    database: Database,
}

impl World {
    /// A world with everything but a connection.
    pub(crate) async fn unconnected(setting: Setting) -> Self {
        let clock = Arc::new(HandClock::noon(setting.company.as_of));
        let ids = Arc::new(CountingIds::default());
        let database = Database::new(setting.database).await;
        let storage = Storage::open(
            &database.location(),
            MasterKey::from_hex(MASTER_KEY).unwrap(),
            clock.clone(),
            ids.clone(),
            Arc::new(SeededEntropy::default()),
        )
        .await
        .unwrap();
        let engine = Engine::new(storage, clock.clone(), ids.clone(), Arc::new(NoPause));
        let organisation = engine
            .create_organisation(NewOrganisation {
                name: "fjordlys".to_owned(),
                region: setting.region.to_owned(),
                time_zone: "Europe/Oslo".to_owned(),
            })
            .await
            .unwrap();
        let page_size = setting.page_size;
        let sandbox = simulator(&clock, setting).await;
        Self {
            engine,
            organisation,
            sandbox,
            clock,
            ids,
            page_size,
            given: Mutex::default(),
            database,
        }
    }

    /// A world with a connection by the preset `provision`, not yet read.
    pub(crate) async fn new(setting: Setting) -> Self {
        let world = Self::unconnected(setting).await;
        world.connect(world.wish()).await;
        world
    }

    /// A world in which everybody is known and may enter, a day after that.
    pub(crate) async fn settled(setting: Setting) -> Self {
        let world = Self::new(setting).await;
        world.sync_well().await;
        world.let_everybody_in().await;
        world.clock.wait(25);
        world.sync_well().await;
        world
    }

    /// What connects this world's simulator.
    pub(crate) fn wish(&self) -> Wish {
        self.wish_for(&self.sandbox, TRIPLETEX)
    }

    /// What connects a simulator under a name.
    pub(crate) fn wish_for(&self, sandbox: &Sandbox, name: &str) -> Wish {
        let mut settings = sandbox.settings();
        settings.insert("page_size".to_owned(), self.page_size.to_string());
        Wish {
            name: name.to_owned(),
            connector: Vendor::Tripletex.to_string(),
            preset: Preset::Provision,
            base_url: Some(sandbox.base_url()),
            settings,
            secrets: sandbox
                .credentials()
                .into_iter()
                .map(|(name, secret)| (name, SecretString::from(secret)))
                .collect(),
        }
    }

    pub(crate) async fn connect(&self, wish: Wish) -> Connection {
        self.engine.connect(&self.organisation, wish).await.unwrap()
    }

    /// The company of another day, at noon of that day.
    pub(crate) fn turn_to(&self, company: Company) {
        self.clock.set(noon(company.as_of));
        self.sandbox.set_company(company);
    }

    pub(crate) fn faults(&self, faults: &[Fault]) {
        self.sandbox.set_faults(faults.to_vec()).unwrap();
    }

    /// Syncs, whatever comes of it.
    pub(crate) async fn sync(&self) -> Made {
        self.sync_named(TRIPLETEX).await
    }

    pub(crate) async fn sync_named(&self, name: &str) -> Made {
        self.engine
            .sync(&self.organisation, name, Trigger::Manual, None)
            .await
            .unwrap()
    }

    pub(crate) async fn plan(&self) -> Made {
        self.engine
            .plan(&self.organisation, TRIPLETEX, Trigger::Manual, None)
            .await
            .unwrap()
    }

    /// Syncs a source that answers well.
    pub(crate) async fn sync_well(&self) -> RunReport {
        let made = self.sync().await;
        assert_eq!(made.report.error, None);
        made.report
    }

    pub(crate) async fn connection(&self) -> Connection {
        self.engine
            .connection(self.organisation.id, TRIPLETEX)
            .await
            .unwrap()
    }

    pub(crate) async fn set_connection(&self, connection: &Connection) {
        let mut transaction = self
            .engine
            .storage()
            .begin(self.organisation.id)
            .await
            .unwrap();
        transaction
            .update_connection(connection, None)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    /// Everybody.
    pub(crate) async fn people(&self) -> Vec<Person> {
        let mut reader = self
            .engine
            .storage()
            .read(self.organisation.id)
            .await
            .unwrap();
        reader.people_page(None, 10_000).await.unwrap()
    }

    pub(crate) async fn links(&self) -> Vec<(muster_model::ConnectionId, Link)> {
        let people: Vec<PersonId> = self.people().await.iter().map(|person| person.id).collect();
        let mut reader = self
            .engine
            .storage()
            .read(self.organisation.id)
            .await
            .unwrap();
        reader.links_of_people(&people).await.unwrap()
    }

    /// Which person each record of the first connection is.
    pub(crate) async fn linked(&self) -> BTreeMap<u64, PersonId> {
        let connection = self.connection().await.id;
        self.links()
            .await
            .into_iter()
            .filter(|(of, _)| *of == connection)
            .map(|(_, link)| (link.external_id.as_str().parse().unwrap(), link.person))
            .collect()
    }

    /// The person of a record.
    pub(crate) async fn person(&self, record: u64) -> Person {
        let id = self.linked().await[&record];
        self.people()
            .await
            .into_iter()
            .find(|person| person.id == id)
            .unwrap()
    }

    pub(crate) async fn directory(&self) -> Directory {
        let mut reader = self
            .engine
            .storage()
            .read(self.organisation.id)
            .await
            .unwrap();
        let connections = reader.connections().await.unwrap();
        drop(reader);
        let given = self.given.lock().unwrap().clone();
        Directory::of(
            &self.people().await,
            &self.links().await,
            &connections,
            &given,
        )
    }

    /// Writes people as a hand edit would: their records are due.
    pub(crate) async fn write(&self, people: Vec<Person>) -> Result<Vec<PersonId>, StorageError> {
        let key = self.organisation.digest_key();
        let ids: Vec<PersonId> = people.iter().map(|person| person.id).collect();
        let written: Vec<PersonToWrite> = people
            .into_iter()
            .map(|person| PersonToWrite {
                keys: keys_of(&person, &key),
                person,
            })
            .collect();
        let mut transaction = self.engine.storage().begin(self.organisation.id).await?;
        let stale = transaction.write_people(&written).await?;
        transaction.mark_people_due(&ids).await?;
        transaction.commit().await?;
        Ok(stale)
    }

    /// Everybody who waits for an invitation has accepted one.
    pub(crate) async fn let_everybody_in(&self) {
        let mut people = self.people().await;
        people.retain(|person| person.access == Access::NotInvited);
        for person in &mut people {
            person.access = Access::Active;
        }
        assert_eq!(self.write(people).await.unwrap(), []);
    }

    /// Somebody whom a hand put into the directory, with access.
    pub(crate) async fn add_by_hand(&self, employees: &[&Employee]) -> Vec<PersonId> {
        let mut people = Vec::new();
        for employee in employees {
            let mut person = Person::new(PersonId::new(self.ids.as_ref()));
            for (field, text) in [
                (Field::GivenName, Some(employee.given_name.as_str())),
                (Field::FamilyName, Some(employee.family_name.as_str())),
                (Field::WorkEmail, employee.work_email.as_deref()),
            ] {
                if let Some(text) = text {
                    person.fields.put(field, Value::text(text));
                }
            }
            person.access = Access::Active;
            let name = format!("{TRIPLETEX}/{}", employee.id);
            self.given.lock().unwrap().insert(person.id, name);
            people.push(person);
        }
        let ids = people.iter().map(|person| person.id).collect();
        assert_eq!(self.write(people).await.unwrap(), []);
        ids
    }

    /// Two people with one address, put in by hand.
    pub(crate) async fn add_by_hand_twice(&self, employee: &Employee) -> [PersonId; 2] {
        let [one] = self.add_by_hand(&[employee]).await[..] else {
            panic!("one person was to be made");
        };
        let people = self.people().await;
        let mut twin = people.into_iter().find(|person| person.id == one).unwrap();
        twin.id = PersonId::new(self.ids.as_ref());
        twin.version = 0;
        let other = twin.id;
        assert_eq!(self.write(vec![twin]).await.unwrap(), []);
        [one, other]
    }

    /// Ends the world.
    pub(crate) async fn end(self) {
        self.sandbox.stop().await;
        self.engine.storage().close().await;
        self.database.remove().await;
    }
}

/// A simulator on loopback, on a free port.
pub(crate) async fn simulator(clock: &Arc<HandClock>, setting: Setting) -> Sandbox {
    let calendar = Arc::clone(clock);
    let mut options = SandboxOptions::new(
        Vendor::Tripletex,
        setting.company,
        setting.other_company,
        setting.earlier,
        Arc::new(move || calendar.today()),
    );
    options.seed = setting.seed;
    options.record = setting.record;
    options.slow = Duration::from_millis(200);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    muster_sandbox::start(options, address).await.unwrap()
}

pub(crate) fn keys_of(
    person: &Person,
    key: &DigestKey,
) -> BTreeMap<MatchKey, muster_model::Digest> {
    MatchKey::ALL
        .into_iter()
        .filter_map(|match_key| Some((match_key, match_key.digest(&person.fields, key)?)))
        .collect()
}
