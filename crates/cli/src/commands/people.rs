//! `muster people`: everybody of an organisation.

use muster_engine::EngineError;
use muster_engine::directory::ShownPerson;

use crate::args::{DatabaseArguments, People, PeopleFormat};
use crate::exit::Exit;
use crate::{database, output};

/// The columns of the table.
const COLUMNS: [&str; 7] = [
    "employee number",
    "name",
    "work e-mail",
    "department",
    "employment",
    "access",
    "links",
];

pub(crate) async fn run(command: People, database: &DatabaseArguments) -> anyhow::Result<Exit> {
    let engine = database::open(database).await?;
    let organisation = engine
        .organisation(command.organisation.name.as_deref())
        .await?;
    match command.format {
        PeopleFormat::Ndjson => {
            engine
                .people(&organisation, command.as_of, |person| {
                    output::json(&person).map_err(Shown::Out)
                })
                .await
                .map_err(Shown::into_error)?;
        }
        PeopleFormat::Csv => {
            let mut csv = csv::Writer::from_writer(std::io::stdout().lock());
            csv.write_record(COLUMNS)?;
            engine
                .people(&organisation, command.as_of, |person| {
                    csv.write_record(cells(&person))
                        .map_err(|error| Shown::Out(error.into()))
                })
                .await
                .map_err(Shown::into_error)?;
            csv.flush()?;
        }
        PeopleFormat::Table => {
            let mut table = comfy_table::Table::new();
            table
                .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
                .set_header(COLUMNS);
            engine
                .people(&organisation, command.as_of, |person| {
                    table.add_row(cells(&person));
                    Ok(())
                })
                .await
                .map_err(Shown::into_error)?;
            output::line(&table.to_string())?;
        }
    }
    Ok(Exit::Done)
}

/// Why showing ended early.
enum Shown {
    Engine(EngineError),
    Out(anyhow::Error),
}

impl Shown {
    fn into_error(self) -> anyhow::Error {
        match self {
            Self::Engine(error) => error.into(),
            Self::Out(error) => error,
        }
    }
}

impl From<EngineError> for Shown {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

fn cells(person: &ShownPerson) -> [String; 7] {
    let text = |name: &str| {
        person
            .fields
            .get(name)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let name = format!("{} {}", text("given_name"), text("family_name"));
    let links: Vec<String> = person
        .links
        .iter()
        .map(|link| format!("{} {}", link.connection, link.external_id))
        .collect();
    [
        text("employee_number"),
        name.trim().to_owned(),
        text("work_email"),
        text("department"),
        person.employment.to_owned(),
        person.access.to_owned(),
        links.join(", "),
    ]
}
