//! What a doctor would look at: the database, the key, and the work of each
//! organisation. Looks only; changes nothing.

use jiff::{SignedDuration, Timestamp};
use muster_model::OrganisationId;
use muster_storage::{
    Connection, ConnectionState, Credentials, Health, OutboxState, Queue, RunsAtWork, StorageError,
};
use serde::Serialize;

use crate::engine::Engine;

/// Data older than this are told: leavers keep access meanwhile (`engine.md`, States).
const OLD: SignedDuration = SignedDuration::from_hours(24);
/// Outward work that waits longer than this is stuck: the longest pause between
/// two tries is shorter.
const STUCK: SignedDuration = SignedDuration::from_hours(6);
/// Clocks that differ by more are told: instants of reads and leases come from both.
const SKEW: SignedDuration = SignedDuration::from_secs(2);
/// Clocks that differ by more make civil dates wrong at midnight for too many.
const GREAT_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What to do about what is broken.
const DAMAGED: &str = "stop the service, keep a copy of the data as they are, and restore the last backup with --replace";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, and a person should look.
    Warn,
    /// Does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// The stable code: what was looked at.
    pub code: &'static str,
    /// In which organisation, if in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// What was found.
    pub found: String,
    /// What to do, when something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Finding {
    /// As it should be.
    #[must_use]
    pub fn ok(code: &'static str, found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Ok,
            code,
            organisation: None,
            found: found.into(),
            next: None,
        }
    }

    /// A person should look.
    #[must_use]
    pub fn warn(code: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            next: Some(next.into()),
            ..Self::ok(code, found)
        }
    }

    /// It does not work.
    #[must_use]
    pub fn fail(code: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(code, found, next)
        }
    }

    /// It could not be looked at.
    #[must_use]
    pub fn unexamined(code: &'static str, error: &StorageError) -> Self {
        let next = match error {
            _ if error.is_damage() => DAMAGED,
            StorageError::Busy => "try again when others have done their work",
            StorageError::Directory { .. } => "check --data and who owns the folder",
            _ => "check --data or --database, and whether the server runs",
        };
        Self::fail(code, error.to_string(), next)
    }

    fn of(mut self, organisation: &str) -> Self {
        self.organisation = Some(organisation.to_owned());
        self
    }
}

impl Engine {
    /// Looks at the database and at the work of each organisation. What cannot be
    /// looked at is a finding too, and the others are made all the same.
    pub async fn examine(&self) -> Vec<Finding> {
        let health = match self.storage.health().await {
            Ok(health) => health,
            Err(error) => return vec![Finding::unexamined("database.reachable", &error)],
        };
        let mut findings = database(&health, self.now());
        if health.schema.is_ok() && !health.is_current() {
            // What stands in the tables is for another program to read.
            return findings;
        }
        findings.push(match self.restored().await {
            Ok(finding) => finding,
            Err(error) => Finding::unexamined("restore.unconfirmed", &error),
        });
        for (id, name) in health.organisations.unwrap_or_default() {
            // Whose key does not open is told already.
            if let Some(name) = name {
                let of_one = self.of_organisation(id).await;
                findings.extend(of_one.into_iter().map(|finding| finding.of(&name)));
            }
        }
        findings
    }

    async fn of_organisation(&self, organisation: OrganisationId) -> Vec<Finding> {
        let mut reader = match self.storage.read(organisation).await {
            Ok(reader) => reader,
            Err(error) => return vec![Finding::unexamined("key.opens", &error)],
        };
        let mut findings = Vec::new();
        match reader.connections_one_by_one().await {
            Ok(connections) => {
                for (name, connection) in connections {
                    findings.push(match connection {
                        Ok(connection) => {
                            let credentials = reader.credentials(connection.id).await;
                            self.connection_found(&connection, credentials)
                        }
                        Err(error) => unreadable(&name, &error),
                    });
                }
            }
            Err(error) => findings.push(Finding::unexamined("connection.health", &error)),
        }
        findings.push(match reader.runs_at_work().await {
            Ok(runs) => runs_found(&runs),
            Err(error) => Finding::unexamined("runs.left", &error),
        });
        findings.push(match reader.outbox_queue(OutboxState::Waiting).await {
            Ok(queue) => waiting_found(&queue, self.now()),
            Err(error) => Finding::unexamined("outbox.waiting", &error),
        });
        findings.push(match reader.outbox_queue(OutboxState::Failed).await {
            Ok(queue) => failed_found(&queue),
            Err(error) => Finding::unexamined("outbox.failed", &error),
        });
        findings.push(match reader.held_rows().await {
            Ok(rows) => held_found(rows),
            Err(error) => Finding::unexamined("plans.held", &error),
        });
        findings
    }

    async fn restored(&self) -> Result<Finding, StorageError> {
        let installation = self.storage.installation().await?;
        Ok(match installation.restored_at {
            Some(at) if installation.outward_work_waits() => Finding::warn(
                "restore.unconfirmed",
                format!("a backup was restored at {at}, and nothing goes outwards since"),
                "look at what waits, then `muster restore --confirm send`, or `--confirm cancel` \
                 if it may have gone out after the backup was made",
            ),
            Some(at) => Finding::ok(
                "restore.unconfirmed",
                format!("the restore of {at} is confirmed"),
            ),
            None => Finding::ok("restore.unconfirmed", "no restore waits for a confirmation"),
        })
    }

    fn connection_found(
        &self,
        connection: &Connection,
        credentials: Result<Option<Credentials>, StorageError>,
    ) -> Finding {
        const CODE: &str = "connection.health";
        let name = &connection.name;
        match connection.state {
            ConnectionState::Failing => {
                return Finding::fail(
                    CODE,
                    format!("{name} is failing: {}", self.age(connection)),
                    "`muster runs` says why the last run failed; leavers keep access until it works again",
                );
            }
            ConnectionState::Draft | ConnectionState::Disconnected | ConnectionState::Paused => {
                return Finding::ok(CODE, format!("{name} is {}", connection.state));
            }
            ConnectionState::Connected | ConnectionState::Active => {}
        }
        let has_credentials = match credentials {
            Ok(credentials) => credentials.is_some(),
            Err(StorageError::CredentialsAskedAgain { .. }) => false,
            Err(error) => return unreadable(name, &error),
        };
        if !has_credentials {
            return Finding::fail(
                CODE,
                format!("{name} has no credentials that belong to its address"),
                "enter them with `muster connect`",
            );
        }
        let is_old = connection
            .last_read_at
            .is_some_and(|at| self.now().duration_since(at) > OLD);
        let found = format!("{name} is {}: {}", connection.state, self.age(connection));
        if is_old && connection.state == ConnectionState::Active {
            return Finding::warn(
                CODE,
                found,
                "`muster sync` reads it now; people who left since keep access until then",
            );
        }
        Finding::ok(CODE, found)
    }

    fn age(&self, connection: &Connection) -> String {
        match connection.last_read_at {
            Some(at) => format!("last read {} ago", rough(self.now().duration_since(at))),
            None => "never read".to_owned(),
        }
    }
}

/// A connection that cannot be read.
fn unreadable(name: &str, error: &StorageError) -> Finding {
    let mut finding = Finding::unexamined("connection.health", error);
    finding.found = format!("{name}: {}", finding.found);
    finding
}

/// What the database says of itself.
fn database(health: &Health, now: Timestamp) -> Vec<Finding> {
    vec![
        Finding::ok("database.reachable", "the database answers"),
        schema_found(health),
        match &health.faults {
            Ok(faults) if faults.is_empty() => {
                Finding::ok("database.integrity", "nothing is broken")
            }
            Ok(faults) => Finding::fail("database.integrity", faults.join("; "), DAMAGED),
            Err(error) => Finding::unexamined("database.integrity", error),
        },
        match &health.now {
            Ok(its) => clock_found(now.duration_since(*its).abs()),
            Err(error) => Finding::unexamined("database.clock", error),
        },
        match &health.organisations {
            Ok(organisations) => key_found(organisations),
            Err(error) => Finding::unexamined("key.opens", error),
        },
    ]
}

fn schema_found(health: &Health) -> Finding {
    const CODE: &str = "database.schema";
    let last = |versions: &[i64]| versions.last().copied().unwrap_or_default();
    let schema = match &health.schema {
        Ok(schema) => schema,
        Err(error) => return Finding::unexamined(CODE, error),
    };
    if health.is_current() {
        return Finding::ok(CODE, format!("version {}", last(schema)));
    }
    if schema.iter().all(|version| health.known.contains(version)) {
        return Finding::warn(
            CODE,
            format!(
                "version {}; this program works with version {}",
                last(schema),
                last(&health.known)
            ),
            "make a backup with the program that you used so far; the next other command brings the schema up to date",
        );
    }
    Finding::fail(
        CODE,
        format!("version {}, which this program does not know", last(schema)),
        "use the newest version that ever opened these data",
    )
}

fn clock_found(skew: SignedDuration) -> Finding {
    const CODE: &str = "database.clock";
    const NEXT: &str = "set the clocks of both machines by NTP";
    let found = format!("{} ms apart", skew.as_millis());
    if skew > GREAT_SKEW {
        Finding::fail(CODE, found, NEXT)
    } else if skew > SKEW {
        Finding::warn(CODE, found, NEXT)
    } else {
        Finding::ok(CODE, found)
    }
}

fn key_found(organisations: &[(OrganisationId, Option<String>)]) -> Finding {
    const CODE: &str = "key.opens";
    let closed: Vec<String> = organisations
        .iter()
        .filter(|(_, opened)| opened.is_none())
        .map(|(id, _)| id.to_string())
        .collect();
    if closed.is_empty() {
        return Finding::ok(CODE, format!("opens {} organisations", organisations.len()));
    }
    let next = if closed.len() < organisations.len() {
        // It is the right key, for it opens the others.
        DAMAGED
    } else {
        "give the key file that belongs to these data with --key-file; after a rotation the earlier one is kept beside it"
    };
    let found = format!("the master key does not open {}", closed.join(", "));
    Finding::fail(CODE, found, next)
}

fn runs_found(runs: &RunsAtWork) -> Finding {
    const CODE: &str = "runs.left";
    if runs.left == 0 {
        return Finding::ok(CODE, format!("{} at work, none left lying", runs.at_work));
    }
    let since = runs
        .oldest_left
        .map_or_else(String::new, |at| format!(", the oldest since {at}"));
    Finding::warn(
        CODE,
        format!("{} never ended and nobody works on them{since}", runs.left),
        "a process was killed; what it did stays, and the next `muster sync` of the connection goes on",
    )
}

fn waiting_found(waiting: &Queue, now: Timestamp) -> Finding {
    const CODE: &str = "outbox.waiting";
    let stuck = waiting
        .oldest
        .is_some_and(|at| now.duration_since(at) > STUCK);
    let found = match waiting.oldest {
        Some(at) => format!(
            "{} messages wait, the oldest for {}",
            waiting.messages,
            rough(now.duration_since(at))
        ),
        None => "nothing waits".to_owned(),
    };
    if stuck {
        Finding::warn(
            CODE,
            found,
            "look whether their connections are failing or paused",
        )
    } else {
        Finding::ok(CODE, found)
    }
}

fn failed_found(failed: &Queue) -> Finding {
    const CODE: &str = "outbox.failed";
    if failed.messages == 0 {
        return Finding::ok(CODE, "nothing was given up");
    }
    Finding::warn(
        CODE,
        format!("{} messages were given up", failed.messages),
        "`muster runs` names them; put right what the other side refused",
    )
}

fn held_found(rows: u64) -> Finding {
    const CODE: &str = "plans.held";
    if rows == 0 {
        return Finding::ok(CODE, "no row waits for a person");
    }
    Finding::warn(
        CODE,
        format!("{rows} rows wait for a person"),
        "`muster plan` shows them with the arithmetic; release them with `muster apply --allow`, or answer with `muster decide`",
    )
}

/// A length of time as people say it.
fn rough(length: SignedDuration) -> String {
    let minutes = length.as_mins().max(0);
    match minutes {
        0..=119 => format!("{minutes} minutes"),
        120..=2_879 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use muster_storage::Condition;

    use super::*;

    fn work(condition: &Condition, now: Timestamp) -> Vec<Finding> {
        vec![
            runs_found(&condition.runs),
            waiting_found(&condition.waiting, now),
            failed_found(&condition.failed),
            held_found(condition.held_rows),
        ]
    }

    fn verdicts(findings: &[Finding]) -> Vec<(&'static str, Verdict)> {
        findings
            .iter()
            .filter(|finding| finding.verdict != Verdict::Ok)
            .map(|finding| (finding.code, finding.verdict))
            .collect()
    }

    #[test]
    fn each_fault_of_the_database_is_told_with_what_to_do() {
        let now: Timestamp = "2025-06-02T08:00:00Z".parse().unwrap();
        let id = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        let opened = Some("Nordlys".to_owned());
        let healthy = || Health {
            schema: Ok(vec![1, 2]),
            known: vec![1, 2],
            faults: Ok(Vec::new()),
            now: Ok(now),
            organisations: Ok(vec![(id, opened.clone())]),
        };
        assert_eq!(verdicts(&database(&healthy(), now)), []);
        let at = |seconds: i64| {
            now.saturating_add(SignedDuration::from_secs(seconds))
                .unwrap()
        };
        for (health, code, verdict) in [
            (
                Health {
                    schema: Ok(vec![1]),
                    ..healthy()
                },
                "database.schema",
                Verdict::Warn,
            ),
            (
                Health {
                    schema: Ok(vec![1, 2, 3]),
                    ..healthy()
                },
                "database.schema",
                Verdict::Fail,
            ),
            (
                Health {
                    faults: Ok(vec!["page 3".to_owned()]),
                    ..healthy()
                },
                "database.integrity",
                Verdict::Fail,
            ),
            (
                Health {
                    now: Ok(at(10)),
                    ..healthy()
                },
                "database.clock",
                Verdict::Warn,
            ),
            (
                Health {
                    now: Ok(at(-100)),
                    ..healthy()
                },
                "database.clock",
                Verdict::Fail,
            ),
            (
                Health {
                    organisations: Ok(vec![(id, opened.clone()), (id, None)]),
                    ..healthy()
                },
                "key.opens",
                Verdict::Fail,
            ),
            // What cannot be read is told by its own name, and hides nothing else.
            (
                Health {
                    schema: Err(StorageError::Busy),
                    ..healthy()
                },
                "database.schema",
                Verdict::Fail,
            ),
            (
                Health {
                    faults: Err(StorageError::Busy),
                    ..healthy()
                },
                "database.integrity",
                Verdict::Fail,
            ),
            (
                Health {
                    organisations: Err(StorageError::Busy),
                    ..healthy()
                },
                "key.opens",
                Verdict::Fail,
            ),
        ] {
            let findings = database(&health, now);
            assert_eq!(verdicts(&findings), [(code, verdict)]);
            assert!(
                findings
                    .iter()
                    .all(|f| f.next.is_some() == (f.verdict != Verdict::Ok))
            );
        }
    }

    #[test]
    fn what_waits_or_was_left_is_told() {
        let now: Timestamp = "2025-06-02T08:00:00Z".parse().unwrap();
        let queue = |hours: i64| Queue {
            messages: 3,
            oldest: Some(
                now.saturating_sub(SignedDuration::from_hours(hours))
                    .unwrap(),
            ),
        };
        let quiet = Condition {
            runs: RunsAtWork {
                at_work: 1,
                ..RunsAtWork::default()
            },
            waiting: queue(1),
            ..Condition::default()
        };
        assert_eq!(verdicts(&work(&quiet, now)), []);
        for (condition, code) in [
            (
                Condition {
                    waiting: queue(7),
                    ..quiet
                },
                "outbox.waiting",
            ),
            (
                Condition {
                    failed: queue(0),
                    ..quiet
                },
                "outbox.failed",
            ),
            (
                Condition {
                    runs: RunsAtWork {
                        left: 1,
                        oldest_left: Some(now),
                        at_work: 0,
                    },
                    ..quiet
                },
                "runs.left",
            ),
            (
                Condition {
                    held_rows: 2,
                    ..quiet
                },
                "plans.held",
            ),
        ] {
            assert_eq!(verdicts(&work(&condition, now)), [(code, Verdict::Warn)]);
        }
    }
}
