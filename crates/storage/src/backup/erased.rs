//! The list of erased people: ids and instants, nothing of anybody. It must
//! outlive the database, because a backup that is older than an erasing still
//! holds who was erased.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use jiff::Timestamp;
use muster_model::{OrganisationId, PersonId};
use uuid::Uuid;

use super::error::BackupError;
use super::file::NewFile;
use crate::both::{Handle, on_the_whole};
use crate::error::StorageError;
use crate::storage::Storage;
use crate::stored::instant;

/// The first line of the list as a file.
const HEAD: &str = "organisation,person,erased_at";

/// Somebody who was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Erased {
    /// In which organisation.
    pub organisation: OrganisationId,
    /// Whose id it was.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
}

impl Erased {
    /// The list as a file: CSV with a head.
    #[must_use]
    pub fn to_csv(list: &[Self]) -> String {
        let mut text = format!("{HEAD}\n");
        for erased in list {
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "{},{},{}",
                erased.organisation, erased.person, erased.at
            );
        }
        text
    }

    /// Writes the list into its file; an earlier list that is there is replaced as a
    /// whole, and any other file only if asked.
    ///
    /// # Errors
    /// `backup.exists`, `backup.in_progress`, `backup.file`.
    pub fn write(list: &[Self], path: &Path, replace: bool) -> Result<(), BackupError> {
        let file = NewFile::begin(path, replace || is_list(path))?;
        (&file)
            .write_all(Self::to_csv(list).as_bytes())
            .map_err(|error| BackupError::file(path, &error))?;
        file.finish()
    }

    /// The list from its file.
    ///
    /// # Errors
    /// `restore.erased_list` with the line that cannot be read.
    pub fn from_csv(text: &str) -> Result<Vec<Self>, BackupError> {
        let mut list = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let unreadable = || BackupError::ErasedList { line: number + 1 };
            if number == 0 {
                if line != HEAD {
                    return Err(unreadable());
                }
                continue;
            }
            let mut parts = line.split(',');
            let (Some(organisation), Some(person), Some(at), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(unreadable());
            };
            list.push(Self {
                organisation: OrganisationId::from_uuid(
                    organisation.parse().map_err(|_| unreadable())?,
                ),
                person: PersonId::from_uuid(person.parse().map_err(|_| unreadable())?),
                at: at.parse().map_err(|_| unreadable())?,
            });
        }
        if list.is_empty() && !text.starts_with(HEAD) {
            return Err(BackupError::ErasedList { line: 1 });
        }
        Ok(list)
    }
}

/// Does such a list stand there?
fn is_list(path: &Path) -> bool {
    let is_file = path.metadata().is_ok_and(|found| found.is_file());
    let mut head = [0; HEAD.len() + 1];
    is_file
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut head))
            .is_ok()
        && head.strip_suffix(b"\n") == Some(HEAD.as_bytes())
}

impl Storage {
    /// Everybody who was erased, in all organisations.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn erased(&self) -> Result<Vec<Erased>, StorageError> {
        all(&mut self.engine.read().await?).await
    }
}

/// Everybody who was erased.
pub(super) async fn all(handle: &mut Handle) -> Result<Vec<Erased>, StorageError> {
    let rows: Vec<(Uuid, Uuid, i64)> = on_the_whole!(handle, front_door::erased())?;
    rows.into_iter()
        .map(|(organisation, person, at)| {
            Ok(Erased {
                organisation: OrganisationId::from_uuid(organisation),
                person: PersonId::from_uuid(person),
                at: instant("erased_people.erased_at", at)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_reads_back_and_a_broken_line_is_named() {
        let erased = Erased {
            organisation: OrganisationId::from_uuid(Uuid::from_u128(1)),
            person: PersonId::from_uuid(Uuid::from_u128(2)),
            at: "2025-06-02T08:00:00.123456Z".parse().unwrap(),
        };
        let text = Erased::to_csv(&[erased, erased]);
        assert_eq!(Erased::from_csv(&text).unwrap(), [erased, erased]);
        assert_eq!(Erased::from_csv(&Erased::to_csv(&[])).unwrap(), []);
        for (text, line) in [
            (String::new(), 1),
            (text.replacen(HEAD, "a,b", 1), 1),
            (format!("{text}nobody"), 4),
        ] {
            let error = Erased::from_csv(&text).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line} ")), "{error}");
        }
    }

    #[test]
    fn only_an_earlier_list_is_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erased.csv");
        let read = || std::fs::read_to_string(&path).unwrap();
        for other in ["", "a key", "organisation,person,erased_at_and_more\n"] {
            std::fs::write(&path, other).unwrap();
            let error = Erased::write(&[], &path, false).unwrap_err();
            assert!(error.to_string().starts_with("backup.exists"), "{error}");
            assert_eq!(read(), other);
        }
        Erased::write(&[], &path, true).unwrap();
        let erased = Erased {
            organisation: OrganisationId::from_uuid(Uuid::from_u128(1)),
            person: PersonId::from_uuid(Uuid::from_u128(2)),
            at: "2025-06-02T08:00:00Z".parse().unwrap(),
        };
        Erased::write(&[erased], &path, false).unwrap();
        assert_eq!(read(), Erased::to_csv(&[erased]));
    }
}
