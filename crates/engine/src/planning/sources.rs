//! What all links of some people say of them: those of other connections, and
//! further records of the same one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use muster_model::time::date_in;
use muster_model::zone::zone_of;
use muster_model::{ConnectionId, ExternalId, Field, Link, PersonId, Policy, Value};
use muster_reconcile::{OtherLink, Sibling, says};
use muster_storage::{Connection, ConnectionState, Organisation, Reader};

use crate::engine::Engine;
use crate::error::EngineError;

/// The connections of an organisation, seen from one of them.
pub(crate) struct Sources {
    own: ConnectionId,
    policies: BTreeMap<ConnectionId, (u32, Policy)>,
    zone: TimeZone,
    now: Timestamp,
}

/// What the links of one person say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    /// In other connections.
    pub(crate) others: Vec<OtherLink>,
    /// In this one.
    pub(crate) siblings: Vec<Sibling>,
}

impl Heard {
    /// The records of this connection, and whether each was there at its last read.
    pub(crate) fn here(&self) -> Vec<(ExternalId, bool)> {
        self.siblings
            .iter()
            .map(|sibling| (sibling.external_id.clone(), sibling.present))
            .collect()
    }

    /// Without the record that is asked about.
    pub(crate) fn beside(mut self, own: &ExternalId) -> Self {
        self.siblings.retain(|sibling| sibling.external_id != *own);
        self
    }
}

/// The place of a connection in the order of sources.
pub(crate) fn rank(connection: &Connection) -> u32 {
    u32::try_from(connection.rank).unwrap_or(u32::MAX)
}

impl Sources {
    pub(crate) fn of(
        connections: &[Connection],
        own: ConnectionId,
        organisation: &Organisation,
        now: Timestamp,
    ) -> Self {
        let policies = connections
            .iter()
            .filter(|one| one.id == own || one.state != ConnectionState::Disconnected)
            .map(|one| (one.id, (rank(one), one.policy.clone())))
            .collect();
        Self {
            own,
            policies,
            zone: Engine::zone(organisation),
            now,
        }
    }

    fn today(&self, link: &Link) -> Date {
        date_in(self.now, &zone_of(&link.said, &self.zone))
    }

    /// What the links of these people say.
    pub(crate) async fn heard(
        &self,
        reader: &mut Reader,
        people: &[PersonId],
    ) -> Result<BTreeMap<PersonId, Heard>, EngineError> {
        let mut heard: BTreeMap<PersonId, Heard> = BTreeMap::new();
        for (connection, link) in reader.links_of_people(people).await? {
            let Some((rank, policy)) = self.policies.get(&connection) else {
                continue;
            };
            let says = says(&link, policy, self.today(&link));
            let present = link.gone_since.is_none();
            let entry = heard.entry(link.person).or_default();
            if connection == self.own {
                entry.siblings.push(Sibling {
                    engagements: link
                        .said
                        .value(Field::Engagements)
                        .and_then(Value::as_engagements)
                        .unwrap_or_default()
                        .to_vec(),
                    external_id: link.external_id,
                    present,
                    says,
                });
            } else {
                entry.others.push(OtherLink {
                    connection,
                    rank: *rank,
                    present,
                    says,
                });
            }
        }
        Ok(heard)
    }
}
