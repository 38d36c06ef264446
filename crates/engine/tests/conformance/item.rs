//! The items of the kit.

use crate::directory;
use crate::reading;
use crate::subject::Subject;

/// One thing that every connector must bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    HappyPath,
    EveryPageSize,
    EmptyCompany,
    Throttling,
    ExpiredToken,
    ServerError,
    TruncatedBody,
    DuplicateRows,
    MovingPages,
    LostRights,
    WrongCompany,
    StaleAnswer,
    WrongTimeZone,
    Nulls,
    Leavers,
    Names,
    OneBadField,
}

impl Item {
    /// All of them.
    pub(crate) const ALL: [Self; 17] = [
        Self::HappyPath,
        Self::EveryPageSize,
        Self::EmptyCompany,
        Self::Throttling,
        Self::ExpiredToken,
        Self::ServerError,
        Self::TruncatedBody,
        Self::DuplicateRows,
        Self::MovingPages,
        Self::LostRights,
        Self::WrongCompany,
        Self::StaleAnswer,
        Self::WrongTimeZone,
        Self::Nulls,
        Self::Leavers,
        Self::Names,
        Self::OneBadField,
    ];

    /// The simulator's fault that shows it.
    pub(crate) const fn fault(self) -> Option<&'static str> {
        Some(match self {
            Self::EmptyCompany => "empty",
            Self::Throttling => "throttle",
            Self::ExpiredToken => "expired-token",
            Self::ServerError => "server-error",
            Self::TruncatedBody => "truncated-body",
            Self::DuplicateRows => "duplicate-rows",
            Self::MovingPages => "moving-pages",
            Self::LostRights => "permission-loss",
            Self::WrongCompany => "wrong-company",
            Self::StaleAnswer => "stale",
            _ => return None,
        })
    }

    /// What speaks against a connector; nothing when it conforms. Where the vendor
    /// has a bad day, a sync over it must harm nobody either.
    pub(crate) async fn findings(self, subject: &Subject) -> Vec<String> {
        let mut findings = match self {
            Self::HappyPath => reading::happy_path(subject).await,
            Self::EveryPageSize => reading::every_page_size(subject).await,
            Self::EmptyCompany => reading::empty_company(subject).await,
            Self::Throttling => reading::survives(subject, "throttle", true).await,
            Self::ExpiredToken => reading::expired_token(subject).await,
            Self::ServerError => reading::survives(subject, "server-error", true).await,
            Self::TruncatedBody => reading::truncated_body(subject).await,
            Self::DuplicateRows => reading::duplicate_rows(subject).await,
            Self::MovingPages => reading::moving_pages(subject).await,
            Self::LostRights => reading::lost_rights(subject).await,
            Self::WrongCompany => reading::wrong_company(subject).await,
            Self::StaleAnswer => reading::stale_answer(subject).await,
            Self::WrongTimeZone => reading::wrong_time_zone(subject).await,
            Self::Nulls => reading::nulls(subject).await,
            Self::Leavers => reading::leavers(subject).await,
            Self::Names => reading::names(subject).await,
            Self::OneBadField => reading::one_bad_field(subject).await,
        };
        if let Some(fault) = self.fault() {
            findings.extend(directory::harm(subject, fault).await);
        }
        findings
    }
}
