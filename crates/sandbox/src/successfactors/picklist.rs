//! The picklists that are served. Ids differ from company to company; the
//! external codes of the employee status are SAP's own (article 2505526), those
//! of addresses what SAP delivers.

/// A choice of a picklist.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) id: u64,
    pub(super) code: &'static str,
    /// In the order of [`LOCALES`].
    pub(super) labels: &'static [&'static str],
}

/// The languages of labels.
pub(super) const LOCALES: &[&str] = &["en_US", "de_DE"];

const BUSINESS: Choice = Choice {
    id: 8448,
    code: "B",
    labels: &["Business", "Geschäftlich"],
};
const PERSONAL: Choice = Choice {
    id: 8447,
    code: "P",
    labels: &["Personal", "Privat"],
};
pub(super) const CELL: Choice = Choice {
    id: 8179,
    code: "C",
    labels: &["Cell", "Mobil"],
};
const ACTIVE: Choice = Choice {
    id: 4001,
    code: "A",
    labels: &["Active", "Aktiv"],
};
const TERMINATED: Choice = Choice {
    id: 4006,
    code: "T",
    labels: &["Terminated", "Beendet"],
};
const PERMANENT: Choice = Choice {
    id: 4102,
    code: "P",
    labels: &["Permanent", "Unbefristet"],
};
const FIXED_TERM: Choice = Choice {
    id: 4103,
    code: "F",
    labels: &["Fixed term", "Befristet"],
};

/// All of them.
pub(super) const CHOICES: &[&Choice] = &[
    &ACTIVE,
    &TERMINATED,
    &PERMANENT,
    &FIXED_TERM,
    &CELL,
    &PERSONAL,
    &BUSINESS,
];

pub(super) fn email_type(is_private: bool) -> &'static Choice {
    if is_private { &PERSONAL } else { &BUSINESS }
}

pub(super) fn status(has_left: bool) -> &'static Choice {
    if has_left { &TERMINATED } else { &ACTIVE }
}

pub(super) fn employment_type(is_permanent: bool) -> &'static Choice {
    if is_permanent {
        &PERMANENT
    } else {
        &FIXED_TERM
    }
}

/// A country as the vendor writes it: in three letters.
pub(super) fn country(code: &str) -> &str {
    match code {
        "NO" => "NOR",
        "SE" => "SWE",
        "DK" => "DNK",
        "FI" => "FIN",
        "GB" => "GBR",
        "DE" => "DEU",
        "PL" => "POL",
        "US" => "USA",
        other => other,
    }
}
