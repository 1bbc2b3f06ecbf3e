//! Opens connections: look up, TCP connect address by address, TLS handshake.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use proofload_core::metrics::ErrorKind;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;

use super::exchange::{Failure, Record};
use super::failure::{self, Doing};
use proofload_core::plan::Scheme;

use super::origin::Origin;
use super::settings::HttpVersion;
use super::shared::Shared;
use super::stream::Stream;

/// A new stream and what to speak on it.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) stream: Stream,
    pub(crate) http2: bool,
}

/// Opens a connection to an origin; notes in `record` how far it came. `deadline` is that of the exchange; the connect timeout may end
/// it earlier.
pub(crate) async fn connect(
    shared: &Shared,
    origin: &Origin,
    deadline: Instant,
    record: &mut Record,
) -> Result<Connected, Failure> {
    let settings = shared.settings();
    let connect_deadline = Instant::now() + settings.connect_timeout;
    let limit = deadline.min(connect_deadline);
    let opening = open(shared, origin, limit, record);
    match timeout_at(limit.into(), opening).await {
        Ok(result) => result,
        Err(_) if connect_deadline <= deadline => Err(Failure::new(
            ErrorKind::ConnectTimeout,
            format!("no connection to {origin} within {:?}", settings.connect_timeout),
        )),
        Err(_) => Err(Failure::new(
            ErrorKind::Timeout,
            format!("the request timed out before {origin} was connected"),
        )),
    }
}

async fn open(
    shared: &Shared,
    origin: &Origin,
    limit: Instant,
    record: &mut Record,
) -> Result<Connected, Failure> {
    let begun = Instant::now();
    let resolved = shared.resolver.resolve(origin).await?;
    let mut now = Instant::now();
    if resolved.looked_up {
        record.timings.dns = Some(now - begun);
    }
    let tcp = connect_tcp(shared, &resolved.addresses, limit).await;
    let connected_at = Instant::now();
    record.timings.connect = Some(connected_at - now);
    now = connected_at;
    let tcp = tcp?;
    // Whatever comes of it: the server has seen this one.
    record.new_connection = true;
    if origin.scheme() == Scheme::Http {
        let http2 = shared.settings().version == HttpVersion::Http2;
        return Ok(Connected { stream: Stream::Plain(tcp), http2 });
    }
    let result = handshake(shared, origin, tcp).await;
    record.timings.tls = Some(now.elapsed());
    result
}

/// Tries the addresses in order. All but the last get an equal share of the time that is left, so
/// that an address that swallows packets does not use up all of it.
async fn connect_tcp(
    shared: &Shared,
    addresses: &[SocketAddr],
    limit: Instant,
) -> Result<TcpStream, Failure> {
    let mut last = Failure::new(ErrorKind::Dns, "no address");
    for (index, &address) in addresses.iter().enumerate() {
        let untried = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let now = Instant::now();
        let share: Duration = limit.saturating_duration_since(now) / untried;
        let attempt = connect_one(shared.settings().local_address, address);
        let result = if untried == 1 {
            attempt.await
        } else {
            timeout_at((now + share).into(), attempt).await.unwrap_or_else(|_| {
                Err(Failure::new(ErrorKind::ConnectTimeout, format!("{address}: no answer")))
            })
        };
        match result {
            Ok(stream) => return Ok(stream),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

async fn connect_one(local: Option<IpAddr>, address: SocketAddr) -> Result<TcpStream, Failure> {
    let failed = |error: &io::Error| {
        let failure = failure::from_io(error, Doing::Connecting);
        Failure::new(failure.kind, format!("{address}: {}", failure.detail))
    };
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| failed(&error))?;
    if let Some(local) = local {
        socket.bind(SocketAddr::new(local, 0)).map_err(|error| bind_failure(local, &error))?;
    }
    socket.set_nodelay(true).map_err(|error| failed(&error))?;
    socket.connect(address).await.map_err(|error| failed(&error))
}

/// Binding says "address in use" when the ports run out, and "address not available" when the
/// address is not one of this machine: the opposite of what connecting says.
fn bind_failure(local: IpAddr, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::AddrInUse => ErrorKind::PortsExhausted,
        _ => ErrorKind::ConnectFailed,
    };
    Failure::new(kind, format!("cannot connect from {local}: {error}"))
}

async fn handshake(shared: &Shared, origin: &Origin, tcp: TcpStream) -> Result<Connected, Failure> {
    let (material, config) = shared.tls()?;
    let name = match &material.server_name {
        Some(name) => name.clone(),
        None => ServerName::try_from(origin.host().to_owned()).map_err(|_| {
            Failure::new(ErrorKind::Tls, format!("`{}` is not a TLS server name", origin.host()))
        })?,
    };
    let stream = TlsConnector::from(config)
        .connect(name, tcp)
        .await
        .map_err(|error| failure::from_io(&error, Doing::Handshaking))?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    if !http2 && shared.settings().version == HttpVersion::Http2 {
        return Err(Failure::new(
            ErrorKind::Http2,
            format!("{origin} did not agree to HTTP/2 (ALPN)"),
        ));
    }
    Ok(Connected { stream: Stream::Tls(Box::new(stream)), http2 })
}
