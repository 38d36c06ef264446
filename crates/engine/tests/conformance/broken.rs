//! Connectors that are broken on purpose, each in one item.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use muster_connect::{
    Account, Confirmation, ConnectError, Connector, ConnectorInfo, ReadRequest, RecordSink,
    SinkError,
};
use muster_engine::OpenConnector;
use muster_model::engagement::EngagementStatus;
use muster_model::{
    Clock, DoubtKind, Evidence, ExternalId, Field, Fields, Presence, Raw, Said, SourceRecord, Value,
};

use crate::item::Item;

/// What a broken connector keeps from one time to the next.
#[derive(Default)]
pub(crate) struct Memory {
    account: Mutex<Option<Account>>,
    /// Who was seen last, at each address.
    seen: Mutex<BTreeMap<String, BTreeSet<ExternalId>>>,
}

/// Opens connectors as the catalogue does, broken where there is a defect.
pub(crate) fn opener(defect: Option<(Item, Arc<Memory>)>) -> OpenConnector {
    Arc::new(move |name, settings| {
        let clock = settings.clock.clone();
        let address = settings.base_url.clone().unwrap_or_default();
        let reads_single_rows = settings
            .settings
            .get("page_size")
            .is_some_and(|size| size == "1");
        let inner = muster_connect::open(name, settings)?;
        Ok(match &defect {
            None => inner,
            Some((item, memory)) => Box::new(Broken {
                item: *item,
                memory: memory.clone(),
                inner,
                clock,
                address,
                reads_single_rows,
            }),
        })
    })
}

struct Broken {
    item: Item,
    memory: Arc<Memory>,
    inner: Box<dyn Connector>,
    clock: Arc<dyn Clock>,
    address: String,
    reads_single_rows: bool,
}

#[async_trait]
impl Connector for Broken {
    fn info(&self) -> &ConnectorInfo {
        self.inner.info()
    }

    /// Broken for the wrong company: it asks once, and never again.
    async fn account(&self) -> Result<Account, ConnectError> {
        let account = self.inner.account().await?;
        if self.item != Item::WrongCompany {
            return Ok(account);
        }
        let mut known = self.memory.account.lock().unwrap();
        Ok(known.get_or_insert(account).clone())
    }

    async fn read(
        &self,
        request: &ReadRequest,
        sink: &mut dyn RecordSink,
    ) -> Result<Evidence, ConnectError> {
        let mut bent = Bent {
            broken: self,
            sink,
            request,
            seen: BTreeSet::new(),
        };
        let mut evidence = self.inner.read(request, &mut bent).await?;
        let seen = bent.seen;
        match self.item {
            // An empty answer is an answer like any other.
            Item::EmptyCompany => evidence.doubts.retain(|one| one.kind != DoubtKind::Empty),
            // What comes twice is counted once, and nothing is said.
            Item::DuplicateRows => {
                let of_rows = [DoubtKind::RecordTwice, DoubtKind::TotalDiffers];
                evidence.doubts.retain(|one| !of_rows.contains(&one.kind));
                evidence.complete = !evidence.has(DoubtKind::PageFailed);
            }
            Item::WrongCompany => {
                if let Some(account) = &*self.memory.account.lock().unwrap() {
                    evidence.account = Some(account.id.clone());
                }
            }
            // Who is not seen any more is said to be removed.
            Item::LostRights => {
                let before = {
                    let mut known = self.memory.seen.lock().unwrap();
                    let before = known.insert(self.address.clone(), seen.clone());
                    before.unwrap_or_default()
                };
                let missing: Vec<ExternalId> = before.difference(&seen).cloned().collect();
                let share = (missing.len() * 100).checked_div(before.len());
                if evidence.complete && share.is_some_and(|share| (15..70).contains(&share)) {
                    let removed = missing.into_iter().map(removed).collect();
                    sink.records(removed).await.unwrap();
                }
            }
            _ => {}
        }
        Ok(evidence)
    }

    /// Broken for moving pages: who is asked after alone is not there.
    async fn confirm(
        &self,
        ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, Confirmation>, ConnectError> {
        match (self.item, ids) {
            (Item::MovingPages, [only]) => {
                Ok(BTreeMap::from([(only.clone(), Confirmation::NotThere)]))
            }
            _ => self.inner.confirm(ids).await,
        }
    }
}

fn removed(external_id: ExternalId) -> SourceRecord {
    SourceRecord {
        external_id,
        revision: None,
        presence: Presence::Removed,
        whole: true,
        fields: Fields::new(),
        problems: Vec::new(),
        raw: Raw::default(),
    }
}

/// Bends records on their way.
struct Bent<'a> {
    broken: &'a Broken,
    sink: &'a mut dyn RecordSink,
    request: &'a ReadRequest,
    seen: BTreeSet<ExternalId>,
}

#[async_trait]
impl RecordSink for Bent<'_> {
    async fn records(&mut self, records: Vec<SourceRecord>) -> Result<(), SinkError> {
        let mut passed = Vec::new();
        for mut record in records {
            let is_first = self.seen.is_empty();
            self.seen.insert(record.external_id.clone());
            if self.keeps(&record, is_first) {
                self.bend(&mut record);
                passed.push(record);
            }
        }
        self.sink.records(passed).await
    }
}

impl Bent<'_> {
    fn keeps(&self, record: &SourceRecord, is_first: bool) -> bool {
        match self.broken.item {
            // A page of one row is taken for the last.
            Item::EveryPageSize => is_first || !self.broken.reads_single_rows,
            // Whose record has one bad field is not read at all.
            Item::OneBadField => record.problems.is_empty(),
            _ => true,
        }
    }

    fn bend(&self, record: &mut SourceRecord) {
        let fields = &mut record.fields;
        match self.broken.item {
            // One field is taken from the wrong place.
            Item::HappyPath if fields.text(Field::EmployeeNumber).is_some() => {
                let wrong = Value::text(record.external_id.as_str());
                fields.put(Field::EmployeeNumber, wrong);
            }
            Item::StaleAnswer => record.revision = None,
            // Days are moved by the difference to UTC.
            Item::WrongTimeZone => {
                let hour = self.broken.clock.now().to_zoned(TimeZone::UTC).hour();
                if let Some(Value::Date(day)) = fields.value(Field::DateOfBirth)
                    && hour >= 22
                {
                    let before = day.yesterday().unwrap();
                    fields.put(Field::DateOfBirth, Value::Date(before));
                }
            }
            // Nothing becomes the word for it.
            Item::Nulls if fields.value(Field::EmployeeNumber).is_none() => {
                fields.put(Field::EmployeeNumber, Value::text("null"));
            }
            Item::Leavers => stay(fields, self.request.today),
            Item::Names => {
                for field in [Field::GivenName, Field::FamilyName] {
                    if let Some(name) = fields.text(field) {
                        // Two bytes a character, and no more.
                        let short = name.chars().filter(|one| u32::from(*one) <= 0xffff);
                        let short: String = short.collect();
                        fields.put(field, Value::text(short.trim()));
                    }
                }
            }
            _ => {}
        }
    }
}

/// After a month nobody has ever left.
fn stay(fields: &mut Fields, today: jiff::civil::Date) {
    let month_ago = today.checked_sub(30.days()).unwrap();
    let Some(Value::Engagements(engagements)) = fields.value(Field::Engagements) else {
        return;
    };
    let mut engagements = engagements.clone();
    for engagement in &mut engagements {
        if engagement
            .end_date
            .value()
            .is_some_and(|last| *last < month_ago)
        {
            engagement.end_date = Said::Null;
            engagement.status = Said::Value(EngagementStatus::Active);
        }
    }
    fields.put(Field::Engagements, Value::Engagements(engagements));
}
