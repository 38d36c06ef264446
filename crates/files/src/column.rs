//! What a column means.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use muster_model::Field;
use unicode_normalization::UnicodeNormalization as _;

use crate::error::{FileError, FileProblem};

/// What a column means: a canonical field, or something of which only the name
/// is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// A canonical field.
    Field(Field),
    /// Another column, by its name in lower case.
    Other(String),
}

/// What people and systems call the canonical fields, folded as headers are:
/// lower case, letters and digits only. English, and the languages of the
/// console.
const SYNONYMS: &[(Field, &[&str])] = &[
    (
        Field::EmployeeNumber,
        &[
            "employeeno",
            "employeenr",
            "employeeid",
            "empno",
            "empid",
            "staffnumber",
            "staffid",
            "personnelnumber",
            "payrollnumber",
            "ansattnummer",
            "ansattnr",
            "anställningsnummer",
            "personalnummer",
            "personalnr",
        ],
    ),
    (
        Field::GivenName,
        &["firstname", "forename", "fornavn", "förnamn", "vorname"],
    ),
    (
        Field::FamilyName,
        &[
            "surname",
            "lastname",
            "etternavn",
            "efternamn",
            "nachname",
            "familienname",
        ],
    ),
    (Field::DisplayName, &["name", "fullname", "navn", "namn"]),
    (
        Field::WorkEmail,
        &[
            "email",
            "mail",
            "emailaddress",
            "workmail",
            "workemailaddress",
            "businessemail",
            "companyemail",
            "epost",
            "epostadresse",
            "epostadress",
            "emailadresse",
        ],
    ),
    (
        Field::PersonalEmail,
        &[
            "privateemail",
            "homeemail",
            "personalmail",
            "privatepost",
            "privatepostadresse",
        ],
    ),
    (
        Field::Phone,
        &[
            "phonenumber",
            "telephone",
            "telephonenumber",
            "tel",
            "mobile",
            "mobilephone",
            "mobilenumber",
            "mobilephonenumber",
            "cellphone",
            "telefon",
            "telefonnummer",
            "mobil",
            "mobiltelefon",
            "mobilnummer",
        ],
    ),
    (
        Field::DateOfBirth,
        &[
            "birthdate",
            "birthday",
            "dob",
            "fødselsdato",
            "födelsedatum",
            "geburtsdatum",
        ],
    ),
    (
        Field::NationalId,
        &[
            "nationalidnumber",
            "nationalidentitynumber",
            "socialsecuritynumber",
            "ssn",
            "fødselsnummer",
            "personnummer",
        ],
    ),
    (
        Field::BankAccount,
        &[
            "bankaccountnumber",
            "accountnumber",
            "iban",
            "kontonummer",
            "bankkonto",
        ],
    ),
    (
        Field::JobTitle,
        &[
            "title",
            "position",
            "jobposition",
            "stilling",
            "stillingstittel",
            "befattning",
        ],
    ),
    (
        Field::Department,
        &[
            "departmentname",
            "dept",
            "avdeling",
            "avdelning",
            "abteilung",
        ],
    ),
    (Field::Team, &["teamname"]),
    (
        Field::Location,
        &[
            "office",
            "site",
            "workplace",
            "arbeidssted",
            "arbetsplats",
            "standort",
        ],
    ),
    (Field::Country, &["countrycode", "land"]),
    (Field::TimeZone, &["tz"]),
    (
        Field::CostCentre,
        &[
            "costcenter",
            "kostnadssted",
            "kostnadsställe",
            "kostenstelle",
        ],
    ),
    (
        Field::ManagerEmail,
        &["manageremailaddress", "supervisoremail", "lederepost"],
    ),
    (Field::EmploymentStatus, &["status"]),
    (Field::EmploymentType, &["contracttype"]),
    (
        Field::EmploymentPercentage,
        &[
            "fte",
            "percentage",
            "stillingsprosent",
            "sysselsättningsgrad",
        ],
    ),
    (
        Field::StartDate,
        &[
            "hiredate",
            "startingdate",
            "employmentstartdate",
            "dateofhire",
            "startdato",
            "ansattdato",
            "startdatum",
            "eintrittsdatum",
        ],
    ),
    (
        Field::EndDate,
        &[
            "terminationdate",
            "leavingdate",
            "employmentenddate",
            "sluttdato",
            "slutdatum",
            "austrittsdatum",
        ],
    ),
    (Field::Language, &["locale", "språk", "sprache"]),
];

impl Column {
    /// What a name means: a canonical name, a usual synonym, or itself.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let letters = letters(name);
        let canonical = Field::ALL
            .into_iter()
            .find(|field| is_canonical(*field, &letters));
        let synonym = || {
            let mut known = SYNONYMS.iter();
            known
                .find(|(_, names)| names.contains(&letters.as_str()))
                .map(|(field, _)| *field)
        };
        match canonical.or_else(synonym) {
            Some(field) => Self::Field(field),
            None => Self::other(name),
        }
    }

    fn other(name: &str) -> Self {
        Self::Other(folded(name))
    }

    /// The name for people and programs.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Field(field) => field.name(),
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What somebody said that columns mean.
#[derive(Debug, Clone, Default)]
pub struct ColumnMap(BTreeMap<String, Column>);

impl ColumnMap {
    /// Says that the column of this header means that; `false` when something
    /// else was said of the header before.
    pub fn say(&mut self, header: &str, meaning: &str) -> bool {
        // A header that is said to mean itself is meant to be no canonical field.
        let meaning = if folded(header) == folded(meaning) {
            Column::other(meaning)
        } else {
            Column::named(meaning)
        };
        let said = self
            .0
            .entry(folded(header))
            .or_insert_with(|| meaning.clone());
        *said == meaning
    }

    /// The headers of which something is said and that stand in none of these
    /// lists.
    pub fn unused<'a>(&'a self, headers: &[&[String]]) -> Vec<&'a str> {
        self.0
            .keys()
            .filter(|said| {
                let mut all = headers.iter().flat_map(|headers| headers.iter());
                !all.any(|header| folded(header) == **said)
            })
            .map(String::as_str)
            .collect()
    }

    /// What the columns of a file mean. What is said goes before canonical
    /// names, and these before synonyms: beside a column `phone`, a column
    /// `mobile` is one of its own.
    ///
    /// # Errors
    /// When two columns have the same name, or mean the same field.
    pub fn recognise(&self, headers: &[String]) -> Result<Vec<Column>, FileError> {
        let mut names: HashMap<String, usize> = HashMap::new();
        for (index, header) in headers.iter().enumerate() {
            let name = folded(header);
            if !name.is_empty()
                && let Some(first) = names.insert(name, index)
            {
                return Err(FileError::of_file(FileProblem::RepeatedColumn {
                    first: first + 1,
                    second: index + 1,
                }));
            }
        }
        let mut taken: HashMap<Column, usize> = HashMap::new();
        let mut columns: Vec<Option<Column>> = vec![None; headers.len()];
        for sure in [Sure::Said, Sure::Canonical, Sure::Synonym] {
            let before = taken.clone();
            for (index, (header, column)) in headers.iter().zip(&mut columns).enumerate() {
                if column.is_some() {
                    continue;
                }
                let meaning = match (sure, self.0.get(&folded(header))) {
                    (Sure::Said, said) => said.cloned(),
                    (Sure::Canonical, _) => canonical(header).map(Column::Field),
                    (Sure::Synonym, _) => Some(match Column::named(header) {
                        // A column without a name is known by its place.
                        Column::Other(name) if name.is_empty() => {
                            Column::Other(format!("column {}", index + 1))
                        }
                        field if before.contains_key(&field) => Column::other(header),
                        other => other,
                    }),
                };
                let Some(meaning) = meaning else { continue };
                if let Some(first) = taken.insert(meaning.clone(), index) {
                    return Err(FileError::of_file(FileProblem::RepeatedField {
                        first: first + 1,
                        second: index + 1,
                        field: meaning.name().to_owned(),
                    }));
                }
                *column = Some(meaning);
            }
        }
        Ok(columns.into_iter().flatten().collect())
    }
}

/// How sure a meaning is.
#[derive(Clone, Copy)]
enum Sure {
    Said,
    Canonical,
    Synonym,
}

fn canonical(header: &str) -> Option<Field> {
    let letters = letters(header);
    Field::ALL
        .into_iter()
        .find(|field| is_canonical(*field, &letters))
}

fn is_canonical(field: Field, letters: &str) -> bool {
    let name = field.name().chars().filter(|letter| *letter != '_');
    name.eq(letters.chars())
}

/// A header as it is compared with others: lower case, no space around it.
fn folded(header: &str) -> String {
    header.trim().nfc().collect::<String>().to_lowercase()
}

/// Only letters and digits, so that `E-mail`, `e_mail` and `eMail` are one name.
fn letters(header: &str) -> String {
    let mut letters = folded(header);
    letters.retain(char::is_alphanumeric);
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognise(headers: &[&str], map: &[(&str, &str)]) -> Result<Vec<String>, &'static str> {
        let mut said = ColumnMap::default();
        for (header, meaning) in map {
            assert!(said.say(header, meaning));
        }
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        said.recognise(&headers)
            .map(|columns| {
                columns
                    .iter()
                    .map(|column| column.name().to_owned())
                    .collect()
            })
            .map_err(|error| error.code())
    }

    #[test]
    fn each_synonym_is_folded_and_means_one_field() {
        let mut seen = std::collections::HashSet::new();
        for (_, names) in SYNONYMS {
            for name in *names {
                assert_eq!(letters(name), *name);
                assert!(canonical(name).is_none(), "{name}");
                assert!(seen.insert(*name), "{name} stands twice");
            }
        }
    }

    #[test]
    fn canonical_names_and_synonyms_are_recognised_however_they_are_written() {
        assert_eq!(
            recognise(
                &[
                    "Employee Number",
                    "E-mail",
                    "SURNAME",
                    "hire_date",
                    "firstName",
                    "Shoe size"
                ],
                &[]
            ),
            Ok([
                "employee_number",
                "work_email",
                "family_name",
                "start_date",
                "given_name",
                "shoe size"
            ]
            .map(str::to_owned)
            .to_vec())
        );
    }

    #[test]
    fn a_canonical_name_goes_before_a_synonym_and_what_is_said_before_both() {
        assert_eq!(
            recognise(&["mobile", "phone"], &[]),
            Ok(vec!["mobile".to_owned(), "phone".to_owned()])
        );
        assert_eq!(
            recognise(&["mail", "e-post"], &[("mail", "personal_email")]),
            Ok(vec!["personal_email".to_owned(), "work_email".to_owned()])
        );
        assert_eq!(
            recognise(&["telephone", "mobile"], &[("mobile", "mobile")]),
            Ok(vec!["phone".to_owned(), "mobile".to_owned()])
        );
    }

    #[test]
    fn two_columns_never_share_a_name_or_a_field() {
        assert_eq!(recognise(&["a", " A"], &[]), Err("files.repeated_column"));
        assert_eq!(
            recognise(&["telephone", "mobile"], &[]),
            Err("files.repeated_field")
        );
        assert_eq!(
            recognise(&["work_email", "login"], &[("login", "email")]),
            Ok(vec!["work_email".to_owned(), "work_email".to_owned()])
                .and(Err("files.repeated_field"))
        );
        assert_eq!(
            recognise(&["a", "", ""], &[]),
            Ok(["a", "column 2", "column 3"].map(str::to_owned).to_vec())
        );
    }
}
