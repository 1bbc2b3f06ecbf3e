//! Name lookup with a cache per worker.
//!
//! Users that start together and need the same name wait for one lookup. A failure is remembered
//! for a moment, so that a wrong name does not turn a thousand users into a thousand lookups.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use proofload_core::metrics::ErrorKind;
use tokio::sync::Mutex;

use super::exchange::Failure;
use super::origin::Origin;
use super::settings::DnsSettings;

const FAILURE_TTL: Duration = Duration::from_secs(1);
/// Names remembered; more than a plan has, fewer than generated names could fill memory with.
const MAX_NAMES: usize = 1024;

type Addresses = Rc<[IpAddr]>;

/// The resolver of one worker.
#[derive(Debug)]
pub(crate) struct Resolver {
    ttl: Duration,
    fixed: HashMap<Box<str>, Addresses>,
    names: RefCell<HashMap<Box<str>, Rc<Name>>>,
    lookups: Cell<u64>,
}

#[derive(Debug, Default)]
struct Name {
    /// The last answer and until when it holds. Held locked while a lookup is under way.
    answer: Mutex<Option<(Result<Addresses, Failure>, Instant)>>,
}

/// Addresses of an origin and whether a lookup was needed to know them.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) looked_up: bool,
}

impl Resolver {
    pub(crate) fn new(settings: &DnsSettings) -> Self {
        let mut fixed: HashMap<Box<str>, Vec<IpAddr>> = HashMap::new();
        for (name, address) in &settings.hosts {
            fixed.entry(name.to_ascii_lowercase().into()).or_default().push(*address);
        }
        Self {
            ttl: settings.cache_ttl,
            fixed: fixed.into_iter().map(|(name, list)| (name, list.into())).collect(),
            names: RefCell::default(),
            lookups: Cell::new(0),
        }
    }

    /// The addresses of an origin, in the order in which to try them.
    pub(crate) async fn resolve(&self, origin: &Origin) -> Result<Resolved, Failure> {
        let with_port = |addresses: &[IpAddr]| {
            addresses.iter().map(|&ip| SocketAddr::new(ip, origin.port())).collect()
        };
        if let Some(ip) = origin.ip() {
            return Ok(Resolved { addresses: with_port(&[ip]), looked_up: false });
        }
        if let Some(addresses) = self.fixed.get(origin.host()) {
            return Ok(Resolved { addresses: with_port(addresses), looked_up: false });
        }
        let name = self.name(origin.host());
        let mut answer = name.answer.lock().await;
        let (result, looked_up) = match &*answer {
            Some((result, until)) if Instant::now() < *until => (result.clone(), false),
            _ => {
                self.lookups.set(self.lookups.get() + 1);
                let result = look_up(origin.host()).await;
                let ttl = if result.is_ok() { self.ttl } else { FAILURE_TTL };
                *answer = Some((result.clone(), Instant::now() + ttl));
                (result, true)
            }
        };
        result.map(|addresses| Resolved { addresses: with_port(&addresses), looked_up })
    }

    fn name(&self, host: &str) -> Rc<Name> {
        let mut names = self.names.borrow_mut();
        if let Some(name) = names.get(host) {
            return Rc::clone(name);
        }
        if names.len() >= MAX_NAMES {
            names.clear();
        }
        Rc::clone(names.entry(host.into()).or_default())
    }
}

async fn look_up(host: &str) -> Result<Addresses, Failure> {
    let failure = |reason: &str| Failure::new(ErrorKind::Dns, format!("`{host}`: {reason}"));
    let mut addresses: Vec<IpAddr> = Vec::new();
    let found = tokio::net::lookup_host((host, 0)).await.map_err(|e| failure(&e.to_string()))?;
    for address in found {
        if !addresses.contains(&address.ip()) {
            addresses.push(address.ip());
        }
    }
    if addresses.is_empty() { Err(failure("no address")) } else { Ok(addresses.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn origin(url: &str) -> Origin {
        Origin::parse(url).unwrap().0
    }

    #[test]
    fn addresses_and_fixed_names_need_no_lookup() {
        let hosts = vec![
            ("A.test".to_owned(), "192.0.2.1".parse().unwrap()),
            ("a.test".to_owned(), "2001:db8::1".parse().unwrap()),
        ];
        let resolver = Resolver::new(&DnsSettings { hosts, ..DnsSettings::default() });
        for (url, expected) in [
            ("http://127.0.0.1:81/", vec!["127.0.0.1:81"]),
            ("http://[::1]/", vec!["[::1]:80"]),
            ("http://a.test:8080/", vec!["192.0.2.1:8080", "[2001:db8::1]:8080"]),
        ] {
            let resolved = block_on(resolver.resolve(&origin(url))).unwrap();
            let addresses: Vec<_> = resolved.addresses.iter().map(ToString::to_string).collect();
            assert_eq!(addresses, expected);
            assert!(!resolved.looked_up);
        }
        assert_eq!(resolver.lookups.get(), 0);
    }

    #[test]
    fn users_share_a_lookup() {
        let resolver = Resolver::new(&DnsSettings::default());
        let origin = origin("http://localhost/");
        block_on(async {
            let (a, b) = tokio::join!(resolver.resolve(&origin), resolver.resolve(&origin));
            assert!(a.unwrap().looked_up);
            assert!(!b.unwrap().looked_up);
        });
        assert_eq!(resolver.lookups.get(), 1);
    }

    #[test]
    fn failures_are_shared_too() {
        let resolver = Resolver::new(&DnsSettings::default());
        let origin = origin("http://no-such-host.invalid/");
        block_on(async {
            let (a, b) = tokio::join!(resolver.resolve(&origin), resolver.resolve(&origin));
            assert_eq!(a.unwrap_err().kind, ErrorKind::Dns);
            assert_eq!(b.unwrap_err().kind, ErrorKind::Dns);
        });
        assert_eq!(resolver.lookups.get(), 1);
    }
}
