//! Values that were checked when they were read: an [`Email`] is an address that can exist, a
//! [`NationalId`] has the right check digits.
//!
//! Two rules hold for all of them:
//!
//! - What a source said is kept **as said** (`said()`, in Unicode NFC and otherwise untouched), so
//!   that it can be shown and written back without a change nobody asked for. Only the compared
//!   form (`folded()`, `e164()`, `canonical()`) is brought into one shape.
//! - What cannot be read is a [`ValueError`]: a stable code, what is wrong, and what to do. It is
//!   made of fixed texts only, so it cannot carry the value into a log.
//!
//! `==` compares what was said. Whether two values mean the same is asked of the compared forms.

mod bank_account;
mod country;
mod digits;
mod email;
mod error;
mod folding;
mod iban;
mod national_id;
mod numbering_plan;
mod phone;

pub use bank_account::BankAccount;
pub use country::Country;
pub use email::Email;
pub use error::{ValueError, value_errors};
pub use folding::{fold_name, fold_text};
pub use iban::Iban;
pub use national_id::{IdRules, NationalId, NationalIdKind, Synthetic};
pub use phone::Phone;

/// What a sealed value shows of itself in `Debug`, whatever it holds.
const SEALED: &str = "••••";
