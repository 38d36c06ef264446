//! Vendor simulators with injectable faults, and the rehearsal company.

pub mod company;
