//! A picture of the page: pieces of HTML, each with the number of the picture in which it last changed.
//!
//! A viewer remembers which picture it has seen and takes the pieces that changed since, however many
//! pictures it has skipped. So only the latest one is kept, and every piece is made ready to be sent
//! once, for all viewers.

use bytes::Bytes;
use serde_json::json;

/// The picture of a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// Counts pictures, from 1; 0 is none yet.
    pub(crate) number: u64,
    pieces: Vec<Kept>,
}

/// A part of the page that changes as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The id of its element.
    pub(crate) id: &'static str,
    /// What the element holds; for the piece `state`, JSON.
    pub(crate) html: String,
}

#[derive(Clone, Debug)]
struct Kept {
    piece: Piece,
    /// The number of the picture in which it changed.
    since: u64,
    /// As it is sent.
    event: Bytes,
}

impl Frame {
    /// The next picture; what did not change is taken over.
    pub(crate) fn next(&self, pieces: Vec<Piece>) -> Self {
        let number = self.number + 1;
        let keep = |piece: Piece| {
            let known = self.pieces.iter().find(|known| known.piece == piece);
            known.cloned().unwrap_or_else(|| Kept {
                event: event("piece", &json!({"id": piece.id, "html": piece.html})),
                piece,
                since: number,
            })
        };
        Self { number, pieces: pieces.into_iter().map(keep).collect() }
    }

    /// What somebody has to be sent who has seen that picture.
    pub(crate) fn since(&self, seen: u64) -> impl Iterator<Item = Bytes> + '_ {
        let changed = self.pieces.iter().filter(move |kept| kept.since > seen);
        changed.map(|kept| kept.event.clone())
    }

    /// What a piece holds.
    pub(crate) fn html(&self, id: &str) -> &str {
        let found = self.pieces.iter().find(|kept| kept.piece.id == id);
        found.map_or("", |kept| kept.piece.html.as_str())
    }
}

/// A server-sent event. JSON has no line breaks in it, so one line of data is enough.
pub(crate) fn event(name: &str, data: &serde_json::Value) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(id: &'static str, html: &str) -> Piece {
        Piece { id, html: html.to_owned() }
    }

    #[test]
    fn viewers_get_what_changed_since_they_looked() {
        let first = Frame::default().next(vec![piece("a", "1"), piece("b", "1")]);
        let second = first.next(vec![piece("a", "2"), piece("b", "1")]);
        let third = second.next(vec![piece("a", "2"), piece("b", "1\n2")]);
        let check = |frame: &Frame, seen: u64, expect: &[&str]| {
            let events: Vec<_> = frame.since(seen).collect();
            let expect: Vec<_> =
                expect.iter().map(|piece| format!("event: piece\ndata: {piece}\n\n")).collect();
            assert_eq!(events, expect);
        };
        check(&first, 0, &[r#"{"html":"1","id":"a"}"#, r#"{"html":"1","id":"b"}"#]);
        check(&second, 1, &[r#"{"html":"2","id":"a"}"#]);
        check(&third, 1, &[r#"{"html":"2","id":"a"}"#, r#"{"html":"1\n2","id":"b"}"#]);
        check(&third, 2, &[r#"{"html":"1\n2","id":"b"}"#]);
        check(&third, 3, &[]);
        assert_eq!(third.html("b"), "1\n2");
    }
}
