//! The simulators on the shared stage through real HTTP, and their contracts.

// Marked as tests so that the lints judge the shared functions as test code.
#[cfg(test)]
mod bamboohr;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod google;
#[cfg(test)]
mod humaans;
#[cfg(test)]
mod successfactors;
#[cfg(test)]
mod support;
#[cfg(test)]
mod workday;
#[cfg(test)]
mod workday_soap;
