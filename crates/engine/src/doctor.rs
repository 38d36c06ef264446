//! What a doctor would look at: the database, the key, and the work of each
//! organisation. Looks only; changes nothing.

use jiff::{SignedDuration, Timestamp};
use muster_storage::{Condition, Connection, ConnectionState, Health, Organisation};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::EngineError;

/// Data older than this are told: leavers keep access meanwhile (`engine.md`, States).
const OLD: SignedDuration = SignedDuration::from_hours(24);
/// Outward work that waits longer than this is stuck: the longest pause between
/// two tries is shorter.
const STUCK: SignedDuration = SignedDuration::from_hours(6);
/// Clocks that differ by more are told: instants of reads and leases come from both.
const SKEW: SignedDuration = SignedDuration::from_secs(2);
/// Clocks that differ by more make civil dates wrong at midnight for too many.
const GREAT_SKEW: SignedDuration = SignedDuration::from_mins(1);

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

    fn of(mut self, organisation: &Organisation) -> Self {
        self.organisation = Some(organisation.name.clone());
        self
    }
}

impl Engine {
    /// Looks at the database and at the work of each organisation.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn examine(&self) -> Result<Vec<Finding>, EngineError> {
        let health = self.storage.health().await?;
        let mut findings = database(&health, self.now());
        if !health.is_current() || findings.iter().any(|found| found.verdict == Verdict::Fail) {
            // What stands in the tables cannot be trusted, or not be read.
            return Ok(findings);
        }
        findings.push(self.restored().await?);
        for organisation in self.storage.organisations().await? {
            let mut reader = self.storage.read(organisation.id).await?;
            for connection in reader.connections().await? {
                let has_credentials =
                    matches!(reader.credentials(connection.id).await, Ok(Some(_)));
                findings.push(
                    self.connection_found(&connection, has_credentials)
                        .of(&organisation),
                );
            }
            let condition = reader.condition().await?;
            findings.extend(
                work(&condition, self.now())
                    .into_iter()
                    .map(|finding| finding.of(&organisation)),
            );
        }
        Ok(findings)
    }

    async fn restored(&self) -> Result<Finding, EngineError> {
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

    fn connection_found(&self, connection: &Connection, has_credentials: bool) -> Finding {
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

/// What the database says of itself.
fn database(health: &Health, now: Timestamp) -> Vec<Finding> {
    let last = |versions: &[i64]| versions.last().copied().unwrap_or_default();
    let mut findings = vec![Finding::ok("database.reachable", "the database answers")];
    findings.push(if health.is_current() {
        let found = format!("version {}", last(&health.schema));
        Finding::ok("database.schema", found)
    } else if health.schema.iter().all(|version| health.known.contains(version)) {
        Finding::warn(
            "database.schema",
            format!(
                "version {}; this program works with version {}",
                last(&health.schema),
                last(&health.known)
            ),
            "make a backup with the program that you used so far; the next other command brings the schema up to date",
        )
    } else {
        Finding::fail(
            "database.schema",
            format!(
                "version {}, which this program does not know",
                last(&health.schema)
            ),
            "use the newest version that ever opened these data",
        )
    });
    findings.push(if health.faults.is_empty() {
        Finding::ok("database.integrity", "nothing is broken")
    } else {
        Finding::fail(
            "database.integrity",
            health.faults.join("; "),
            "stop the service, keep a copy of the data as they are, and restore the last backup with --replace",
        )
    });
    let skew = now.duration_since(health.now).abs();
    let found = format!("{} ms apart", skew.as_millis());
    findings.push(if skew > GREAT_SKEW {
        Finding::fail(
            "database.clock",
            found,
            "set the clocks of both machines by NTP",
        )
    } else if skew > SKEW {
        Finding::warn(
            "database.clock",
            found,
            "set the clocks of both machines by NTP",
        )
    } else {
        Finding::ok("database.clock", found)
    });
    let closed: Vec<String> = health
        .organisations
        .iter()
        .filter(|(_, opens)| !opens)
        .map(|(id, _)| id.to_string())
        .collect();
    findings.push(if closed.is_empty() {
        let found = format!("opens {} organisations", health.organisations.len());
        Finding::ok("key.opens", found)
    } else {
        Finding::fail(
            "key.opens",
            format!("the master key does not open {}", closed.join(", ")),
            "give the key file that belongs to these data with --key-file; after a rotation the earlier one is kept beside it",
        )
    });
    findings
}

/// What works, waits or was left lying in an organisation.
fn work(condition: &Condition, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(match (condition.runs_left, condition.oldest_left) {
        (0, _) => Finding::ok(
            "runs.left",
            format!("{} at work, none left lying", condition.runs_at_work),
        ),
        (runs, oldest) => Finding::warn(
            "runs.left",
            format!(
                "{runs} never ended and nobody works on them{}",
                oldest.map_or_else(String::new, |at| format!(", the oldest since {at}"))
            ),
            "a process was killed; what it did stays, and the next `muster sync` goes on",
        ),
    });
    let waiting = &condition.waiting;
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
    findings.push(if stuck {
        Finding::warn(
            "outbox.waiting",
            found,
            "look whether their connections are failing or paused",
        )
    } else {
        Finding::ok("outbox.waiting", found)
    });
    findings.push(if condition.failed.messages == 0 {
        Finding::ok("outbox.failed", "nothing was given up")
    } else {
        Finding::warn(
            "outbox.failed",
            format!("{} messages were given up", condition.failed.messages),
            "`muster runs` names them; put right what the other side refused",
        )
    });
    findings.push(if condition.held_rows == 0 {
        Finding::ok("plans.held", "no row waits for a person")
    } else {
        Finding::warn(
            "plans.held",
            format!("{} rows wait for a person", condition.held_rows),
            "`muster plan` shows them with the arithmetic; release them with `muster apply --allow`, or answer with `muster decide`",
        )
    });
    findings
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
    use muster_storage::Queue;

    use super::*;

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
        let healthy = Health {
            schema: vec![1, 2],
            known: vec![1, 2],
            faults: Vec::new(),
            now,
            organisations: vec![(id, true)],
        };
        assert_eq!(verdicts(&database(&healthy, now)), []);
        let at = |seconds: i64| {
            now.saturating_add(SignedDuration::from_secs(seconds))
                .unwrap()
        };
        for (health, code, verdict) in [
            (
                Health {
                    schema: vec![1],
                    ..healthy.clone()
                },
                "database.schema",
                Verdict::Warn,
            ),
            (
                Health {
                    schema: vec![1, 2, 3],
                    ..healthy.clone()
                },
                "database.schema",
                Verdict::Fail,
            ),
            (
                Health {
                    faults: vec!["page 3".to_owned()],
                    ..healthy.clone()
                },
                "database.integrity",
                Verdict::Fail,
            ),
            (
                Health {
                    now: at(10),
                    ..healthy.clone()
                },
                "database.clock",
                Verdict::Warn,
            ),
            (
                Health {
                    now: at(-100),
                    ..healthy.clone()
                },
                "database.clock",
                Verdict::Fail,
            ),
            (
                Health {
                    organisations: vec![(id, true), (id, false)],
                    ..healthy.clone()
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
            runs_at_work: 1,
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
                    runs_left: 1,
                    oldest_left: Some(now),
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
