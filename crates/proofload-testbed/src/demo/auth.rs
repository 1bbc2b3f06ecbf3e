//! Logging in, and who may pass.

use std::collections::{HashMap, VecDeque};

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::state::{Shared, lock};

/// Longest address and signature accepted, in bytes.
const MAX_FIELD_BYTES: usize = 1024;

/// Who has which token; the oldest tokens are forgotten first.
#[derive(Debug)]
pub(crate) struct Tokens {
    capacity: usize,
    addresses: HashMap<String, String>,
    order: VecDeque<String>,
}

impl Tokens {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, addresses: HashMap::new(), order: VecDeque::new() }
    }

    fn insert(&mut self, token: String, address: String) {
        self.order.push_back(token.clone());
        self.addresses.insert(token, address);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.addresses.remove(&oldest);
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Login {
    address: String,
    signature: String,
}

/// `POST /api/auth/login`: any non-empty address and signature will do, as in a test environment.
pub(crate) async fn login(
    State(service): State<Shared>,
    Json(login): Json<Login>,
) -> Result<Json<Value>, ApiError> {
    for (name, value) in [("address", &login.address), ("signature", &login.signature)] {
        if value.is_empty() || value.len() > MAX_FIELD_BYTES {
            return Err(ApiError::bad_request(format!(
                "{name} must have from 1 to {MAX_FIELD_BYTES} bytes"
            )));
        }
    }
    let token = service.draw(|random| format!("{:032x}", random.u128(..)));
    lock(&service.tokens).insert(token.clone(), login.address.clone());
    Ok(Json(json!({
        "token": token,
        "expires_in": 86_400,
        "user": {"id": login.address, "wallet_address": login.address},
    })))
}

/// A request with a valid bearer token; 401 without.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) address: String,
}

impl FromRequestParts<Shared> for Member {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Shared) -> Result<Self, ApiError> {
        let refusal = |message| ApiError::new(StatusCode::UNAUTHORIZED, message);
        let token = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| refusal("log in at /api/auth/login and send the token as Bearer"))?;
        let tokens = lock(&service.tokens);
        let address = tokens.addresses.get(token).ok_or_else(|| refusal("unknown token"))?;
        Ok(Self { address: address.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_tokens_are_forgotten() {
        let mut tokens = Tokens::new(2);
        for token in ["a", "b", "c"] {
            tokens.insert(token.into(), token.into());
        }
        assert_eq!(tokens.addresses.len(), 2);
        assert!(!tokens.addresses.contains_key("a"));
    }
}
