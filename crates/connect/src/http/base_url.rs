//! The address below which a vendor answers.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use crate::error::{ConnectError, ErrorKind};

/// A checked base address: encrypted unless it is this machine, and without
/// user, query or fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Checks an address.
    ///
    /// # Errors
    /// `http.bad_base_url` for what is no address, `http.insecure_base_url` for
    /// an address without encryption outside this machine, unless
    /// `allow_insecure`.
    pub fn parse(text: &str, allow_insecure: bool) -> Result<Self, ConnectError> {
        let bad = |what: &str| {
            ConnectError::new(
                ErrorKind::Settings,
                "http.bad_base_url",
                format!("the base address {what}"),
                "enter an address such as https://vendor.example/v2",
            )
        };
        let url = Url::parse(text.trim()).map_err(|_| bad("cannot be read"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("begins neither with https:// nor with http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("holds a user name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("holds a query or a fragment"));
        }
        if url.host_str().is_none() {
            return Err(bad("names no host"));
        }
        let base = Self(url);
        if base.0.scheme() == "http" && !base.is_loopback() && !allow_insecure {
            return Err(ConnectError::new(
                ErrorKind::Settings,
                "http.insecure_base_url",
                "the base address is not encrypted, so that credentials could be read on the way",
                "enter an https:// address, or set allow_insecure=true for a test in a closed network",
            ));
        }
        Ok(base)
    }

    /// Is it this machine?
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.0.host_str().is_some_and(|host| {
            let literal = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || literal.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        })
    }

    /// Is an address of the same origin?
    #[must_use]
    pub fn is_origin_of(&self, other: &Url) -> bool {
        self.0.origin() == other.origin()
    }

    /// The host, with its port where it is not the usual one.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The full address of a path below the base; the path begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let base = self.0.path().trim_end_matches('/');
        url.set_path(&format!("{base}{path}"));
        url
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BaseUrl({})", self.0)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_be_asked_without_encryption() {
        for text in [
            "https://hr.nordlys.example/v2",
            "http://127.0.0.1:8080/v2",
            "http://[::1]:8080",
            "http://localhost/v2",
        ] {
            assert!(BaseUrl::parse(text, false).is_ok(), "{text}");
        }
        for text in [
            "http://hr.nordlys.example/v2",
            "http://127.0.0.1.nordlys.example/",
            "http://10.0.0.7/v2",
        ] {
            let error = BaseUrl::parse(text, false).unwrap_err();
            assert_eq!(error.code(), "http.insecure_base_url", "{text}");
            assert!(BaseUrl::parse(text, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_address_with_credentials_or_a_query_is_refused_and_not_repeated() {
        for text in [
            "https://user:hunter2@hr.nordlys.example/",
            "https://hr.nordlys.example/?key=hunter2",
            "ftp://hr.nordlys.example/hunter2",
            "hunter2",
        ] {
            let error = BaseUrl::parse(text, true).unwrap_err();
            assert_eq!(error.code(), "http.bad_base_url", "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_path_keeps_the_base_and_the_vendors_colon() {
        let base = BaseUrl::parse("https://hr.nordlys.example/v2/", false).unwrap();
        assert_eq!(
            base.join("/token/session/:create").as_str(),
            "https://hr.nordlys.example/v2/token/session/:create"
        );
        assert_eq!(
            base.join("/token/session/>whoAmI").path(),
            "/v2/token/session/%3EwhoAmI"
        );
    }
}
