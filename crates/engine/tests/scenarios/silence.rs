//! No secret and nobody's data in any trace, at the finest level, whatever the
//! source does.

use std::io;
use std::sync::{Arc, Mutex};

use muster_model::Field;
use muster_sandbox::Fault;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{Setting, World, rehearsal, with_new_phones};

/// Keeps what is traced.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl Traces {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Traces {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Stands in names, addresses and numbers of the firm, and nowhere else.
const CANARY: &str = "Kanarifugl";

fn with_canaries(
    mut company: muster_sandbox::company::Company,
) -> muster_sandbox::company::Company {
    for employee in &mut company.employees {
        let id = employee.id;
        employee.given_name = format!("{CANARY}{id}");
        employee.family_name = format!("{CANARY}sen{id}");
        if employee.work_email.is_some() {
            employee.work_email = Some(format!("{CANARY}{id}@firm.example").to_lowercase());
        }
        if let Some(address) = &mut employee.address {
            address.line = format!("{CANARY}veien {id}");
        }
    }
    company
}

#[tokio::test(flavor = "current_thread")]
async fn no_secret_and_nobodys_data_is_traced() {
    let traces = Traces::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(traces.clone())
        .with_ansi(false)
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let rehearsal = rehearsal(60, 1);
    let setting = Setting {
        company: with_canaries(rehearsal.on_day(0)),
        earlier: with_canaries(rehearsal.shifted(0)),
        ..Setting::rehearsed(&rehearsal, 0)
    };
    let world = World::new(setting).await;
    let mut spoken = String::new();
    let faults = [
        None,
        Some(Fault::TruncatedBody),
        Some(Fault::ServerError),
        Some(Fault::ExpiredToken),
        Some(Fault::PermissionLoss),
        Some(Fault::WrongCompany),
        Some(Fault::Stale),
        None,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let moved: Vec<u64> = rehearsal
            .on_day(0)
            .employees
            .iter()
            .map(|one| one.id)
            .skip(number)
            .take(3)
            .collect();
        let company = with_new_phones(rehearsal.on_day(0), &moved);
        world.sandbox.set_company(with_canaries(company));
        world.faults(fault.as_slice());
        let made = world.sync().await;
        // What is shown to everybody holds nothing either.
        spoken.push_str(&serde_json::to_string(&made.report).unwrap());
    }
    let mut secrets: Vec<String> = world.sandbox.credentials().into_values().collect();
    for person in world.people().await {
        for field in [
            Field::NationalId,
            Field::BankAccount,
            Field::Phone,
            Field::DateOfBirth,
        ] {
            if let Some(value) = person.fields.value(field) {
                let text = value.to_json();
                secrets.push(text.as_str().unwrap().to_owned());
            }
        }
    }
    assert!(secrets.len() > 150, "{}", secrets.len());

    spoken.push_str(&traces.text());
    // The net is in place: calls and statements are traced, and this is found.
    assert!(spoken.contains("/employee"), "nothing was traced");
    assert!(
        found(&spoken, &secrets).is_empty(),
        "{:?}",
        found(&spoken, &secrets)
    );
    tracing::trace!(person = %format!("{CANARY}7"), "planted");
    assert_eq!(found(&traces.text(), &secrets), [CANARY]);
    tracing::trace!(token = %secrets[0], "planted");
    assert_eq!(found(&traces.text(), &secrets).len(), 2);
    drop(guard);
    world.end().await;
}

/// Which of them stand in a text.
fn found(text: &str, secrets: &[String]) -> Vec<String> {
    let folded = text.to_lowercase();
    std::iter::once(CANARY)
        .chain(secrets.iter().map(String::as_str))
        .filter(|secret| folded.contains(&secret.to_lowercase()))
        .map(str::to_owned)
        .collect()
}
