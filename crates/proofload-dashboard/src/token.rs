//! The token that opens the page off the loopback interface.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// Shorter tokens can be guessed.
const SHORTEST: usize = 16;
/// Longer ones do not fit into an address.
const LONGEST: usize = 512;

/// Why a text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It can be guessed, or does not fit into an address.
    #[error(
        "the token must be {SHORTEST} to {LONGEST} characters long; `openssl rand -hex 24` makes a good one"
    )]
    Length,
    /// The system has no random numbers to give.
    #[error("the system has no random numbers to give")]
    Random,
}

/// A secret that a client must know. The secret itself is not kept: what a client sends is compared by
/// its keyed hash, in a time that does not depend on where they differ.
#[derive(Clone)]
pub struct Token {
    key: hmac::Key,
    tag: hmac::Tag,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Token {
    /// A token that the user has chosen.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn new(secret: &str) -> Result<Self, TokenError> {
        if !(SHORTEST..=LONGEST).contains(&secret.chars().count()) {
            return Err(TokenError::Length);
        }
        Self::of(secret)
    }

    /// A fresh one, and its text: what a cookie carries instead of the user's own.
    pub(crate) fn random() -> Result<(Self, String), TokenError> {
        let mut bytes = [0; 24];
        SystemRandom::new().fill(&mut bytes).map_err(|_| TokenError::Random)?;
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Ok((Self::of(&text)?, text))
    }

    fn of(secret: &str) -> Result<Self, TokenError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| TokenError::Random)?;
        let tag = hmac::sign(&key, secret.as_bytes());
        Ok(Self { key, tag })
    }

    /// Whether this is it.
    pub(crate) fn is(&self, candidate: &str) -> bool {
        hmac::verify(&self.key, candidate.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_the_token() {
        let token = Token::new("correct horse battery").unwrap();
        assert!(token.is("correct horse battery"));
        for wrong in ["", "correct horse batter", "correct horse battery ", "Correct horse battery"]
        {
            assert!(!token.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "Token(***)");
    }

    #[test]
    fn what_can_be_guessed_is_refused() {
        assert_eq!(Token::new("secret").unwrap_err(), TokenError::Length);
        assert_eq!(Token::new(&"x".repeat(513)).unwrap_err(), TokenError::Length);
    }

    #[test]
    fn random_ones_differ() {
        let ((one, one_text), (_, other_text)) =
            (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(one_text, other_text);
        assert!(one.is(&one_text) && !one.is(&other_text));
    }
}
