//! Reads one answer from pieces of bytes, wherever the network cut them.
//!
//! The piece is the worker's read buffer. An answer that is complete in its first piece is left
//! there and described by offsets: nothing is copied and nothing allocated. Otherwise what must be
//! kept (the head, and the body if it is to be kept) moves to the connection's own buffer.

use std::ops::Range;

use proofload_core::metrics::ErrorKind;

use super::chunked::Chunked;
use super::head::{HeadFacts, HeadParser, malformed};
use crate::http::exchange::{BodyUse, Failure};

/// More interim answers (1xx) than this before a final one are refused.
const MAX_INTERIM_ANSWERS: u32 = 32;

/// What an answer may cost and how it is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadRules {
    pub(crate) max_head_bytes: usize,
    pub(crate) max_kept_body_bytes: usize,
    pub(crate) body: BodyUse,
    /// The request was `HEAD`: the answer has no body whatever its head says.
    pub(crate) head_request: bool,
}

/// Reader of one answer.
#[derive(Debug)]
pub(crate) struct Reader {
    rules: ReadRules,
    head: HeadParser,
    stage: Stage,
    facts: HeadFacts,
    interim_answers: u32,
    head_bytes: usize,
    body_bytes: u64,
    /// Any byte has arrived.
    begun: bool,
}

#[derive(Debug)]
enum Stage {
    Head,
    /// This many bytes are missing.
    Length(u64),
    Chunked(Chunked),
    /// The body ends where the connection ends.
    UntilClose,
    Done,
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complete {
    pub(crate) facts: HeadFacts,
    /// The offsets are in the own buffer; otherwise in the last piece.
    pub(crate) owned: bool,
    pub(crate) head: Range<usize>,
    pub(crate) body: Range<usize>,
    /// Length of the body without framing.
    pub(crate) body_bytes: u64,
    /// How many bytes of the last piece follow the answer.
    pub(crate) surplus: usize,
    /// The connection can carry another request.
    pub(crate) reusable: bool,
}

impl Reader {
    pub(crate) fn new(rules: ReadRules) -> Self {
        Self {
            rules,
            head: HeadParser::default(),
            stage: Stage::Head,
            facts: HeadFacts::default(),
            interim_answers: 0,
            head_bytes: 0,
            body_bytes: 0,
            begun: false,
        }
    }

    /// Takes the next piece. `own` must be empty at first and is then left to the reader.
    pub(crate) fn feed(
        &mut self,
        piece: &mut [u8],
        own: &mut Vec<u8>,
    ) -> Result<Option<Complete>, Failure> {
        self.begun |= !piece.is_empty();
        if !matches!(self.stage, Stage::Head) {
            return self.feed_body(piece, own);
        }
        if own.is_empty() {
            let Some(head_end) = self.read_head(piece)? else {
                own.extend_from_slice(&piece[self.head.start()..]);
                self.head.rebase();
                return Ok(None);
            };
            let head_start = self.head.start();
            let step = self.step(&mut piece[head_end..])?;
            if step.done {
                let body = head_end..head_end + step.kept;
                let surplus = piece.len() - head_end - step.consumed;
                return Ok(Some(self.complete(false, head_start..head_end, body, surplus)));
            }
            own.extend_from_slice(&piece[head_start..head_end]);
            self.reserve(own);
            own.extend_from_slice(&piece[head_end..head_end + step.kept]);
            return Ok(None);
        }
        own.extend_from_slice(piece);
        let Some(head_end) = self.read_head(own)? else {
            own.drain(..self.head.start());
            self.head.rebase();
            return Ok(None);
        };
        let step = self.step(&mut own[head_end..])?;
        let surplus = own.len() - head_end - step.consumed;
        own.truncate(head_end + step.kept);
        own.drain(..self.head.start());
        Ok(step.done.then(|| self.complete_owned(own, surplus)))
    }

    /// The connection ended.
    pub(crate) fn end(&mut self, own: &[u8]) -> Result<Complete, Failure> {
        match self.stage {
            Stage::Head if !self.begun => Err(Failure::new(
                ErrorKind::Closed,
                "the server closed the connection without answering",
            )),
            Stage::Head => Err(truncated("the connection ended within the answer's head")),
            Stage::Length(missing) => Err(truncated(format!(
                "the connection ended {missing} bytes before the end of the body"
            ))),
            Stage::Chunked(_) => Err(truncated("the connection ended before the last chunk")),
            Stage::UntilClose | Stage::Done => {
                self.stage = Stage::Done;
                Ok(self.complete_owned(own, 0))
            }
        }
    }

    fn feed_body(
        &mut self,
        piece: &mut [u8],
        own: &mut Vec<u8>,
    ) -> Result<Option<Complete>, Failure> {
        let step = self.step(piece)?;
        own.extend_from_slice(&piece[..step.kept]);
        let surplus = piece.len() - step.consumed;
        Ok(step.done.then(|| self.complete_owned(own, surplus)))
    }

    /// Reads heads until the final one is complete; returns where it ends.
    fn read_head(&mut self, buffer: &[u8]) -> Result<Option<usize>, Failure> {
        loop {
            let Some((facts, end)) = self.head.parse(buffer, self.rules.max_head_bytes)? else {
                return Ok(None);
            };
            // 101 is final: the connection now speaks something else.
            if facts.status < 200 && facts.status != 101 {
                self.interim_answers += 1;
                if self.interim_answers > MAX_INTERIM_ANSWERS {
                    return Err(malformed("too many interim answers (1xx)"));
                }
                self.head = HeadParser::at(end);
                continue;
            }
            self.facts = facts;
            self.head_bytes = end - self.head.start();
            self.choose_framing()?;
            return Ok(Some(end));
        }
    }

    /// How the end of the body is told (RFC 9112 §6.3).
    fn choose_framing(&mut self) -> Result<(), Failure> {
        let facts = &mut self.facts;
        self.stage = if self.rules.head_request || matches!(facts.status, 101 | 204 | 304) {
            facts.keep_alive &= facts.status != 101;
            Stage::Length(0)
        } else if facts.chunked {
            Stage::Chunked(Chunked::new())
        } else if let Some(length) = facts.content_length {
            Stage::Length(length)
        } else {
            facts.keep_alive = false;
            Stage::UntilClose
        };
        match self.stage {
            Stage::Length(length) => self.check_kept(length),
            _ => Ok(()),
        }
    }

    fn check_kept(&self, bytes: u64) -> Result<(), Failure> {
        let max = self.rules.max_kept_body_bytes;
        if self.rules.body == BodyUse::Keep && bytes > max as u64 {
            return Err(Failure::new(
                ErrorKind::BodyTooLarge,
                format!("the body is to be inspected and larger than {max} bytes"),
            ));
        }
        Ok(())
    }

    /// Takes as much of a piece as belongs to the body; what is kept stands at its front.
    fn step(&mut self, piece: &mut [u8]) -> Result<Step, Failure> {
        let keep = self.rules.body == BodyUse::Keep;
        let (data, consumed, done) = match &mut self.stage {
            Stage::Length(missing) => {
                let length = usize::try_from(*missing).unwrap_or(usize::MAX).min(piece.len());
                *missing -= length as u64;
                (length, length, *missing == 0)
            }
            Stage::Chunked(chunked) => {
                let result = chunked.decode(piece, keep, self.rules.max_head_bytes)?;
                (result.data, result.consumed, result.done)
            }
            Stage::UntilClose => (piece.len(), piece.len(), false),
            Stage::Head | Stage::Done => (0, 0, true),
        };
        self.body_bytes += data as u64;
        self.check_kept(self.body_bytes)?;
        if done {
            self.stage = Stage::Done;
        }
        Ok(Step { kept: if keep { data } else { 0 }, consumed, done })
    }

    /// Makes room for a body of known length at once. A server can announce anything, so no more
    /// than a small multiple of what it must then really send.
    fn reserve(&self, own: &mut Vec<u8>) {
        const MAX_TRUSTED: u64 = 1 << 20;
        if let (Stage::Length(missing), BodyUse::Keep) = (&self.stage, self.rules.body) {
            let length = (self.body_bytes + missing).min(MAX_TRUSTED);
            own.reserve(usize::try_from(length).unwrap_or(0));
        }
    }

    fn complete_owned(&self, own: &[u8], surplus: usize) -> Complete {
        self.complete(true, 0..self.head_bytes, self.head_bytes..own.len(), surplus)
    }

    fn complete(
        &self,
        owned: bool,
        head: Range<usize>,
        body: Range<usize>,
        surplus: usize,
    ) -> Complete {
        Complete {
            facts: self.facts,
            owned,
            head,
            body,
            body_bytes: self.body_bytes,
            surplus,
            reusable: self.facts.keep_alive && surplus == 0,
        }
    }
}

struct Step {
    kept: usize,
    consumed: usize,
    done: bool,
}

fn truncated(detail: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::new(ErrorKind::Truncated, detail)
}
