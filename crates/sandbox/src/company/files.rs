//! A rehearsal company as files, for tests and training away from a simulator.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::biography::{Event, Happening};
use super::calendar::LAST_DAY;
use super::canonical;
use super::rehearsal::Rehearsal;
use super::snapshot::Employee;

/// Days of one row of counts in the summary.
const WINDOW: i32 = 30;
/// How many such rows a year has; the last one is short.
const WINDOWS: i32 = 13;

/// A file of a rehearsal company could not be written.
#[derive(Debug, thiserror::Error)]
#[error(
    "the rehearsal company's file {} could not be written: {reason}. \
     Choose a folder that you may write to and that has space",
    path.display()
)]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the operating system said.
    pub reason: std::io::Error,
}

impl WriteError {
    /// The stable code of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "rehearsal.file_not_written"
    }
}

impl Rehearsal {
    /// Writes the firm into a folder, which is made when it is not there:
    /// `people.ndjson` and `engagements.ndjson` as of day 0, `changes.ndjson`
    /// for the days 1 to 365 with the values that are new, and `summary.json`.
    /// The same spec gives the same bytes.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), WriteError> {
        std::fs::create_dir_all(folder).map_err(|reason| WriteError {
            path: folder.to_owned(),
            reason,
        })?;
        self.write_people(folder)?;
        let mut changes = Lines::create(folder, "changes.ndjson")?;
        for line in self.change_lines() {
            changes.write(&line)?;
        }
        changes.finish()?;
        let mut summary = Lines::create(folder, "summary.json")?;
        summary.write_readable(&self.summary())?;
        summary.finish()
    }

    fn write_people(&self, folder: &Path) -> Result<(), WriteError> {
        let mut people = Lines::create(folder, "people.ndjson")?;
        let mut engagements = Lines::create(folder, "engagements.ndjson")?;
        let departments = self.department_names();
        let day = self.firm.calendar.date(0);
        for employee in self.employees_on(0) {
            people.write(&canonical::person(
                &employee,
                department(&departments, &employee),
                day,
            ))?;
            for engagement in canonical::engagements(&employee, day) {
                let mut line = Map::new();
                line.insert(
                    "person_external_id".to_owned(),
                    json!(employee.id.to_string()),
                );
                line.extend(engagement);
                engagements.write(&line)?;
            }
        }
        people.finish()?;
        engagements.finish()
    }

    /// The changes of the year in the order in which they happen.
    pub(super) fn change_lines(&self) -> Vec<Map<String, Value>> {
        let departments = self.department_names();
        let mut lines = Vec::new();
        for (ordinal, person, events) in self.biographies() {
            let mut portrait = self.portrait(ordinal, person);
            for event in events {
                let day = self.firm.calendar.date(event.day);
                let before = if event.happening == Happening::Joined || event.day < 1 {
                    Map::new()
                } else {
                    let day_before = self.firm.calendar.date(event.day - 1);
                    whole(&departments, &portrait.employee, day_before)
                };
                portrait.apply(event);
                if event.day >= 1 {
                    let after = whole(&departments, &portrait.employee, day);
                    lines.push((event.sequence, self.change_line(event, &before, after)));
                }
            }
        }
        lines.sort_by_key(|(sequence, _)| *sequence);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    fn change_line(
        &self,
        event: &Event,
        before: &Map<String, Value>,
        after: Map<String, Value>,
    ) -> Map<String, Value> {
        let change = self.change(event);
        let values: Map<String, Value> = after
            .into_iter()
            .filter(|(name, value)| before.get(name) != Some(value))
            .collect();
        let mut line = Map::new();
        line.insert("day".to_owned(), json!(change.day));
        line.insert("date".to_owned(), json!(change.date));
        line.insert("kind".to_owned(), json!(change.kind));
        line.insert("external_id".to_owned(), json!(change.employee.to_string()));
        line.insert("values".to_owned(), Value::Object(values));
        line
    }

    fn summary(&self) -> Summary {
        let day = self.firm.calendar.date(0);
        let mut people = Counts::default();
        for employee in self.employees_on(0) {
            people.count(&employee, day);
        }
        let spec = self.spec();
        let months = (0..WINDOWS)
            .map(|window| window * WINDOW)
            .map(|first| self.month(first, (first + WINDOW).min(LAST_DAY)))
            .collect();
        Summary {
            people: spec.people,
            seed: spec.seed,
            year_start: spec.year_start,
            account_id: self.firm.account_id().to_string(),
            company: self.firm.name(),
            departments: self.firm.chart.departments,
            day_0: people,
            months,
            hard_cases: self.hard_cases(),
        }
    }

    fn month(&self, first: i32, second: i32) -> Month {
        let expected = self.tally(first, second);
        Month {
            after_day: first,
            until_day: second,
            joiners: expected.joiners.len(),
            joiners_without_email: expected.joiners_without_email.len(),
            movers: expected.movers.len(),
            leavers: expected.leavers.len(),
            returners: expected.returners.len(),
        }
    }

    fn department_names(&self) -> BTreeMap<u64, String> {
        self.departments_on(0)
            .into_iter()
            .map(|department| (department.id, department.name))
            .collect()
    }
}

fn department<'a>(names: &'a BTreeMap<u64, String>, employee: &Employee) -> Option<&'a str> {
    let id = employee.department?;
    names.get(&id).map(String::as_str)
}

/// The flat fields and the engagements.
fn whole(
    departments: &BTreeMap<u64, String>,
    employee: &Employee,
    day: Date,
) -> Map<String, Value> {
    let mut fields = canonical::person(employee, department(departments, employee), day);
    let engagements = canonical::engagements(employee, day);
    fields.insert("engagements".to_owned(), json!(engagements));
    fields
}

/// What `summary.json` says.
#[derive(Debug, Serialize)]
struct Summary {
    people: u32,
    seed: u64,
    year_start: Date,
    account_id: String,
    company: &'static str,
    departments: u32,
    day_0: Counts,
    months: Vec<Month>,
    hard_cases: Vec<super::HardCase>,
}

/// The people of day 0.
#[derive(Debug, Default, Serialize)]
struct Counts {
    records: u64,
    running: u64,
    ended: u64,
    without_work_email: u64,
    without_employee_number: u64,
    with_several_engagements: u64,
}

impl Counts {
    fn count(&mut self, employee: &Employee, day: Date) {
        self.records += 1;
        if employee.is_running_on(day) {
            self.running += 1;
        } else {
            self.ended += 1;
        }
        self.without_work_email += u64::from(employee.work_email.is_none());
        self.without_employee_number += u64::from(employee.employee_number.is_none());
        self.with_several_engagements += u64::from(employee.engagements.len() > 1);
    }
}

/// What a reader finds who reads on `after_day` and again on `until_day`.
#[derive(Debug, Serialize)]
struct Month {
    after_day: i32,
    until_day: i32,
    joiners: usize,
    joiners_without_email: usize,
    movers: usize,
    leavers: usize,
    returners: usize,
}

/// A file that is written line by line.
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    fn create(folder: &Path, name: &str) -> Result<Self, WriteError> {
        let path = folder.join(name);
        match File::create(&path) {
            Ok(file) => Ok(Self {
                path,
                file: BufWriter::new(file),
            }),
            Err(reason) => Err(WriteError { path, reason }),
        }
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), WriteError> {
        let written = serde_json::to_writer(&mut self.file, line).map_err(std::io::Error::from);
        self.end_line(written)
    }

    fn write_readable(&mut self, value: &impl Serialize) -> Result<(), WriteError> {
        let written =
            serde_json::to_writer_pretty(&mut self.file, value).map_err(std::io::Error::from);
        self.end_line(written)
    }

    fn end_line(&mut self, written: std::io::Result<()>) -> Result<(), WriteError> {
        written
            .and_then(|()| self.file.write_all(b"\n"))
            .map_err(|reason| self.error(reason))
    }

    fn finish(mut self) -> Result<(), WriteError> {
        self.file.flush().map_err(|reason| self.error(reason))
    }

    fn error(&self, reason: std::io::Error) -> WriteError {
        WriteError {
            path: self.path.clone(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::company::firm_tests::rehearsal;

    const NAMES: [&str; 4] = [
        "people.ndjson",
        "engagements.ndjson",
        "changes.ndjson",
        "summary.json",
    ];

    /// What is in the files; the folder is made for this and removed again.
    fn written(rehearsal: &Rehearsal, test: &str) -> Vec<String> {
        let name = format!("muster-rehearsal-{}-{test}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        rehearsal
            .write(&folder)
            .expect("a temporary folder can be written");
        let texts = NAMES
            .iter()
            .map(|name| std::fs::read_to_string(folder.join(name)).expect("was written"))
            .collect();
        std::fs::remove_dir_all(&folder).expect("was made here");
        texts
    }

    fn lines(text: &str) -> Vec<Value> {
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_others_give_others() {
        let first = written(&rehearsal(250, 1), "first");
        assert_eq!(first, written(&rehearsal(250, 1), "again"));
        for (other, name) in [(rehearsal(250, 2), "seed"), (rehearsal(251, 1), "size")] {
            for (one, other) in first.iter().zip(written(&other, name)) {
                assert_ne!(*one, other);
            }
        }
    }

    #[test]
    fn the_files_say_what_the_firm_shows() {
        let rehearsal = rehearsal(250, 1);
        let files = written(&rehearsal, "content");
        let company = rehearsal.on_day(0);
        let people = lines(&files[0]);
        assert_eq!(people.len(), 250);
        for (line, employee) in people.iter().zip(&company.employees) {
            assert_eq!(line["external_id"], employee.id.to_string());
            assert_eq!(line["work_email"], json!(employee.work_email));
            let active = employee.is_running_on(company.as_of);
            assert_eq!(
                line["employment_status"],
                if active { "active" } else { "ended" }
            );
            assert!(
                line["phone"].is_null()
                    || line["phone"].as_str().is_some_and(|p| p.starts_with('+'))
            );
        }
        let engagements = lines(&files[1]);
        let held: usize = company.employees.iter().map(|e| e.engagements.len()).sum();
        assert_eq!(engagements.len(), held);
        let primary = engagements
            .iter()
            .filter(|line| line["primary"] == true)
            .count();
        assert_eq!(primary, 250);
        assert_eq!(lines(&files[2]).len(), rehearsal.changes().len());
    }

    #[test]
    fn the_summary_counts_what_a_reader_finds_each_month() {
        let rehearsal = rehearsal(250, 1);
        let files = written(&rehearsal, "summary");
        let summary: Value = serde_json::from_str(&files[3]).expect("JSON");
        assert_eq!(
            (&summary["people"], &summary["seed"]),
            (&json!(250), &json!(1))
        );
        assert_eq!(summary["day_0"]["records"], 250);
        assert_eq!(summary["hard_cases"].as_array().map(Vec::len), Some(13));
        let months = summary["months"].as_array().expect("a list");
        assert_eq!(months.len(), 13);
        for month in months {
            let day = |name: &str| month[name].as_i64().and_then(|day| i32::try_from(day).ok());
            let (first, second) = (
                day("after_day").expect("a day"),
                day("until_day").expect("a day"),
            );
            let expected = rehearsal.between(first, second);
            assert_eq!(month["joiners"], expected.joiners.len());
            assert_eq!(
                month["joiners_without_email"],
                expected.joiners_without_email.len()
            );
            assert_eq!(month["leavers"], expected.leavers.len());
            assert_eq!(month["returners"], expected.returners.len());
            assert_eq!(month["movers"], expected.movers.len());
        }
        assert_eq!(
            months.last().map(|month| &month["until_day"]),
            Some(&json!(365))
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let name = format!("muster-rehearsal-{}-blocked", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, "in the way").expect("a temporary file can be written");
        let error = rehearsal(1, 1)
            .write(&file.join("folder"))
            .expect_err("a file is no folder");
        std::fs::remove_file(&file).expect("was made here");
        assert_eq!(error.code(), "rehearsal.file_not_written");
        assert!(error.to_string().contains("blocked"), "{error}");
    }
}
