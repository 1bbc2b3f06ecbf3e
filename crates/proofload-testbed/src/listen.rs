//! Listening on loopback, without a runtime at hand: callers may be inside one of their own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections the kernel may hold ready: a burst of users must not meet dropped handshakes, which
/// clients only repeat after a second.
const BACKLOG: i32 = 4096;

/// A non-blocking listener on this loopback port; 0 takes a free one.
///
/// The port can be taken again right after its last user has closed, as services come back.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(cfg!(unix))?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
