//! From normalised source records to a plan, and from a plan to the next state:
//! pure functions, without I/O, clock or randomness.
//!
//! The steps are the modules, in the order in which a record passes them:
//!
//! 1. [`scope`]: does this policy cover the person?
//! 2. [`trust`]: was the answer whole, plausible and from the same company?
//! 3. [`matching`]: who is it?
//! 4. [`compare`]: what differs from what we both knew last?
//! 5. [`decide`]: what does the policy say?
//! 6. [`managers`]: whom do the manager statements name?
//! 7. [`brakes`]: is that too much for one day?
//! 8. [`mod@plan`]: the change set, hashed.
//! 9. [`mod@enact`]: one row, done.
//! 10. [`mod@undo`]: what a run did, taken back by a plan of its own.
//!
//! What people decided is looked at by [`decided`], and made part of a row by
//! [`resolve`].
//!
//! [`tables`] prints the rules as the tables of `docs/engine/`.

pub mod brakes;
pub mod compare;
pub mod decide;
pub mod decided;
pub mod enact;
pub mod input;
pub mod managers;
pub mod matching;
pub mod plan;
pub mod render;
pub mod resolve;
pub mod scope;
pub mod tables;
pub mod trust;
pub mod undo;

pub use enact::{EnactContext, State, enact};
pub use input::{
    Candidate, Confirmation, Input, KeyHolders, ManagerIndex, OtherLink, RecordHolder, Sibling,
    Touched, says,
};
pub use plan::{Block, Decided, Draft, PlanError, Survey, plan, questions};
pub use render::{Names, render, spoken_of};
pub use undo::undo;
