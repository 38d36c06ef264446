//! Vendor simulators with injectable faults, and the rehearsal company.
//!
//! A simulator is written from the vendor's own document and serves a
//! [`company::Company`] over real HTTP; the module `contract` (feature `contract`) holds
//! recorded exchanges against facts from that document.

mod address;
mod bamboohr;
pub mod company;
#[cfg(feature = "contract")]
pub mod contract;
mod exchange;
mod fault;
mod google;
mod humaans;
mod keys;
mod limit;
mod listener;
mod server;
mod simulator;
mod stage;
mod successfactors;
mod tripletex;
mod wire;
mod workday;

pub use exchange::{Exchange, LEFT_OUT};
pub use fault::{Fault, FaultError};
pub use limit::{Counted, RateLimit};
pub use server::{Sandbox, SandboxError, SandboxOptions, Today, Vendor, start};
