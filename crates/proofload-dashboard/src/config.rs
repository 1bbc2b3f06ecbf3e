//! Where the page is served and to whom.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use proofload_core::redact::Redactor;

use crate::token::Token;

/// The port people know from Locust.
pub const DEFAULT_PORT: u16 = 8089;

/// Why the page cannot be served like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not an address.
    #[error(
        "`{0}` is no address to serve the page on; say `8089`, `:0` (a free port), `127.0.0.1:8089` or `[::1]:8089`"
    )]
    Address(String),
    /// Others could reach it without a token.
    #[error(
        "{0} can be reached from other machines, and whoever opens the page can put load on the target: \
         set a token with --web-token or PROOFLOAD_WEB_TOKEN, or serve on 127.0.0.1"
    )]
    TokenMissing(SocketAddr),
}

/// Whether runs are started from the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The page follows and steers one run that somebody else has started.
    #[default]
    Follow,
    /// Runs are started from the page, as often as one likes.
    Serve,
}

/// Where the page is served, to whom, and what it must not show.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 is a free one.
    pub address: SocketAddr,
    /// What clients must know. Needed for every address that is not a loopback one.
    pub token: Option<Token>,
    /// Names beside `localhost` and addresses by which clients may call this machine.
    pub hosts: Vec<String>,
    /// Whether runs are started from the page.
    pub mode: Mode,
    /// Takes secrets out of whatever is shown.
    pub redactor: Redactor,
}

impl Config {
    /// A page for this machine only.
    #[must_use]
    pub fn new(address: SocketAddr, mode: Mode) -> Self {
        Self { address, token: None, hosts: Vec::new(), mode, redactor: Redactor::default() }
    }

    /// Makes sure that strangers are kept out.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.token.is_none() && !self.address.ip().is_loopback() {
            return Err(ConfigError::TokenMissing(self.address));
        }
        Ok(())
    }
}

/// Reads an address as people write it: `8089`, `:8089`, `127.0.0.1`, `localhost:0`, `[::1]:8089`. What is
/// left out is the loopback interface and [`DEFAULT_PORT`]. Names are not looked up.
///
/// # Errors
/// [`ConfigError::Address`].
pub fn parse_address(text: &str) -> Result<SocketAddr, ConfigError> {
    let wrong = || ConfigError::Address(text.to_owned());
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), DEFAULT_PORT));
    }
    if let Ok(address) = trimmed.parse::<SocketAddr>() {
        return Ok(address);
    }
    if let Some(ip) = parse_ip(trimmed) {
        return Ok(SocketAddr::new(ip, DEFAULT_PORT));
    }
    let (host, port) = trimmed.rsplit_once(':').unwrap_or(("", trimmed));
    let port = port.parse().map_err(|_| wrong())?;
    let ip = if host.is_empty() {
        Ipv4Addr::LOCALHOST.into()
    } else {
        parse_ip(host).ok_or_else(wrong)?
    };
    Ok(SocketAddr::new(ip, port))
}

fn parse_ip(text: &str) -> Option<IpAddr> {
    if text.eq_ignore_ascii_case("localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let check = |text: &str, expect: &str| {
            let address = parse_address(text).map(|address| address.to_string());
            assert_eq!(address.unwrap_or_default(), expect, "{text}");
        };
        check("", "127.0.0.1:8089");
        check("9000", "127.0.0.1:9000");
        check(":0", "127.0.0.1:0");
        check("localhost", "127.0.0.1:8089");
        check("localhost:1", "127.0.0.1:1");
        check("0.0.0.0", "0.0.0.0:8089");
        check("10.1.2.3:80", "10.1.2.3:80");
        check("[::1]:80", "[::1]:80");
        check("::1", "[::1]:8089");
        check("example.org:80", "");
        check("99999", "");
        check("http://127.0.0.1", "");
    }

    #[test]
    fn off_loopback_a_token_is_needed() {
        let mut config = Config::new(parse_address("0.0.0.0:0").unwrap(), Mode::Follow);
        assert!(matches!(config.check(), Err(ConfigError::TokenMissing(_))));
        config.token = Some(Token::new("0123456789abcdef").unwrap());
        assert_eq!(config.check(), Ok(()));
        for loopback in ["127.0.0.1", "127.8.8.8", "::1"] {
            let config = Config::new(parse_address(loopback).unwrap(), Mode::Follow);
            assert_eq!(config.check(), Ok(()), "{loopback}");
        }
    }
}
