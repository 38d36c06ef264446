//! The Tripletex simulator, written from the vendor's own document.

mod answer;
mod books;
mod disturbance;
mod duplicates;
mod employee_list;
mod entitlements;
mod failure;
mod listing;
mod mapping;
mod occupation;
mod places;
mod reads;
mod render;
mod request;
mod resource;
mod row;
mod selection;
mod served;
mod session;
mod session_calls;
mod world;
mod write_employee;
mod write_employment;
mod write_organisation;
mod write_rules;
mod writes;

pub(crate) use served::BASE_PATH;
pub(crate) use world::World;
