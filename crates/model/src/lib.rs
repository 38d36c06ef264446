//! People, engagements, plans, ids, dates and validated values of Muster. No I/O, no async.

pub mod values;
