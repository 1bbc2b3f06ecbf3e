//! Turns errors of the system and of TLS into the kinds a report counts.

use std::io;

use proofload_core::metrics::ErrorKind;
use rustix::io::Errno;

use super::exchange::Failure;

/// What was being done when an input or output error came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Connecting,
    Handshaking,
    Exchanging,
}

/// The failure an input or output error means.
pub(crate) fn from_io(error: &io::Error, doing: Doing) -> Failure {
    let kind = kind_of(error, doing);
    match tls_error(error) {
        // "Received corrupt message of type InvalidContentType" is what plain HTTP looks like to TLS.
        Some(rustls::Error::InvalidMessage(_)) if doing == Doing::Handshaking => {
            Failure::new(kind, "the other side does not speak TLS: is it plain HTTP (http://)?")
        }
        _ => Failure::new(kind, error.to_string()),
    }
}

fn kind_of(error: &io::Error, doing: Doing) -> ErrorKind {
    if tls_error(error).is_some() {
        return ErrorKind::Tls;
    }
    let number = error.raw_os_error();
    if number == Some(Errno::MFILE.raw_os_error()) || number == Some(Errno::NFILE.raw_os_error()) {
        return ErrorKind::TooManyOpenFiles;
    }
    match (error.kind(), doing) {
        (io::ErrorKind::AddrNotAvailable, Doing::Connecting) => ErrorKind::PortsExhausted,
        (io::ErrorKind::ConnectionRefused, _) => ErrorKind::ConnectRefused,
        (io::ErrorKind::TimedOut, Doing::Connecting) => ErrorKind::ConnectTimeout,
        (_, Doing::Connecting) => ErrorKind::ConnectFailed,
        (_, Doing::Handshaking) => ErrorKind::Tls,
        (
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted,
            _,
        ) => ErrorKind::Reset,
        (io::ErrorKind::UnexpectedEof, _) => ErrorKind::Truncated,
        // The kernel gave up retransmitting.
        (io::ErrorKind::TimedOut, _) => ErrorKind::Timeout,
        _ => ErrorKind::Io,
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_system_errors() {
        let os = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        let tls = || io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        for (error, doing, kind) in [
            (os(Errno::CONNREFUSED), Doing::Connecting, ErrorKind::ConnectRefused),
            (os(Errno::ADDRNOTAVAIL), Doing::Connecting, ErrorKind::PortsExhausted),
            (os(Errno::MFILE), Doing::Connecting, ErrorKind::TooManyOpenFiles),
            (os(Errno::NFILE), Doing::Connecting, ErrorKind::TooManyOpenFiles),
            (os(Errno::TIMEDOUT), Doing::Connecting, ErrorKind::ConnectTimeout),
            (os(Errno::HOSTUNREACH), Doing::Connecting, ErrorKind::ConnectFailed),
            (os(Errno::NETUNREACH), Doing::Connecting, ErrorKind::ConnectFailed),
            (os(Errno::CONNRESET), Doing::Exchanging, ErrorKind::Reset),
            (os(Errno::PIPE), Doing::Exchanging, ErrorKind::Reset),
            (os(Errno::TIMEDOUT), Doing::Exchanging, ErrorKind::Timeout),
            (os(Errno::NOBUFS), Doing::Exchanging, ErrorKind::Io),
            (os(Errno::CONNRESET), Doing::Handshaking, ErrorKind::Tls),
            (tls(), Doing::Handshaking, ErrorKind::Tls),
            (tls(), Doing::Exchanging, ErrorKind::Tls),
        ] {
            assert_eq!(from_io(&error, doing).kind, kind, "{error} {doing:?}");
        }
    }
}
