//! The answer parser for fuzz targets and property tests: bytes in, a comparable verdict out.

use proofload_core::metrics::ErrorKind;

use super::reader::{Complete, ReadRules, Reader};
use crate::http::exchange::BodyUse;

/// Largest head accepted here, in bytes.
pub const MAX_HEAD_BYTES: usize = 4096;
/// Largest kept body accepted here, in bytes.
pub const MAX_BODY_BYTES: usize = 4096;

/// What the parser made of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A complete answer.
    Answer {
        /// Status code.
        status: u16,
        /// Status line, header lines, empty line.
        head: Vec<u8>,
        /// The body without framing; empty when it is discarded.
        body: Vec<u8>,
        /// Its length without framing.
        body_bytes: u64,
        /// Bytes of input that belong to the answer and to interim answers before it.
        consumed: usize,
        /// The connection may be used again, were nothing to follow.
        keep_alive: bool,
    },
    /// No answer.
    Failed(ErrorKind, String),
}

/// How bytes are to be parsed.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Keep the body.
    pub keep: bool,
    /// The request was `HEAD`.
    pub head_request: bool,
}

/// Feeds `input` to the parser, cut into pieces of the given lengths (the last one goes on for as long as
/// there is input), then ends the connection.
pub fn parse(input: &[u8], pieces: impl IntoIterator<Item = usize>, mode: Mode) -> Verdict {
    let mut reader = Reader::new(ReadRules {
        max_head_bytes: MAX_HEAD_BYTES,
        max_kept_body_bytes: MAX_BODY_BYTES,
        body: if mode.keep { BodyUse::Keep } else { BodyUse::Discard },
        head_request: mode.head_request,
    });
    let (mut own, mut rest, mut fed) = (Vec::new(), input, 0);
    let mut pieces = pieces.into_iter();
    while !rest.is_empty() {
        let length = pieces.next().unwrap_or(rest.len()).clamp(1, rest.len());
        let mut piece = rest[..length].to_vec();
        rest = &rest[length..];
        fed += length;
        match reader.feed(&mut piece, &mut own) {
            Ok(None) => {}
            Ok(Some(complete)) => return answer(&complete, &piece, &own, fed),
            Err(failure) => return Verdict::Failed(failure.kind, failure.detail.into_owned()),
        }
    }
    match reader.end(&own) {
        Ok(complete) => answer(&complete, b"", &own, fed),
        Err(failure) => Verdict::Failed(failure.kind, failure.detail.into_owned()),
    }
}

fn answer(complete: &Complete, piece: &[u8], own: &[u8], fed: usize) -> Verdict {
    let bytes = if complete.owned { own } else { piece };
    Verdict::Answer {
        status: complete.facts.status,
        head: bytes[complete.head.clone()].to_vec(),
        body: bytes[complete.body.clone()].to_vec(),
        body_bytes: complete.body_bytes,
        consumed: fed - complete.surplus,
        keep_alive: complete.facts.keep_alive,
    }
}
