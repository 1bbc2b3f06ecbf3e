//! The bot's commands: a small economy with real state.

use std::collections::{HashMap, VecDeque};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::state::{Shared, lock, unix_ms};

/// Coins of a new account.
const STARTING_BALANCE: u64 = 100;
/// Coins of the daily reward.
const DAILY_REWARD: u64 = 25;
/// Longest identifier of a user accepted, in bytes.
const MAX_USER_ID_BYTES: usize = 128;
/// What there is to buy, and its price in coins.
const SHOP: [(&str, u64); 4] = [("sticker", 5), ("badge", 20), ("hat", 60), ("castle", 10_000)];

#[derive(Debug, Clone, Default)]
struct Account {
    balance: u64,
    items: u64,
    last_daily: Option<u64>,
}

/// The accounts by user; the oldest are forgotten first.
#[derive(Debug)]
pub(crate) struct Accounts {
    capacity: usize,
    by_user: HashMap<String, Account>,
    order: VecDeque<String>,
}

impl Accounts {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), by_user: HashMap::new(), order: VecDeque::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_user.len()
    }

    /// The account of a user, made on first contact, and whether it is new.
    fn account(&mut self, user: &str) -> (&mut Account, bool) {
        let is_new = !self.by_user.contains_key(user);
        if is_new {
            if self.order.len() == self.capacity
                && let Some(oldest) = self.order.pop_front()
            {
                self.by_user.remove(&oldest);
            }
            self.order.push_back(user.to_owned());
        }
        let account = self
            .by_user
            .entry(user.to_owned())
            .or_insert_with(|| Account { balance: STARTING_BALANCE, ..Account::default() });
        (account, is_new)
    }
}

/// A user's identifier comes as a text or as a number, as messengers have it.
#[derive(Debug, Deserialize)]
pub(crate) struct Command {
    user_id: Value,
    command: String,
    item: Option<String>,
}

/// `POST /bot/command` with `{user_id, command, item?}`; the command with or without its slash.
pub(crate) async fn command(
    State(service): State<Shared>,
    Json(command): Json<Command>,
) -> Result<Json<Value>, ApiError> {
    let user = match command.user_id {
        Value::String(user) => user,
        Value::Number(user) => user.to_string(),
        _ => return Err(ApiError::bad_request("user_id must be a text or a number")),
    };
    let mut words = command.command.split_whitespace();
    let name = words.next().unwrap_or_default();
    // "/shop hat" is the same as "/shop" with the item "hat".
    let item = command.item.as_deref().or_else(|| words.next());
    execute(&service, &user, name, item)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Shortcut {
    user_id: String,
    item: Option<String>,
}

/// `GET /bot/{command}?user_id=…&item=…`
pub(crate) async fn shortcut(
    State(service): State<Shared>,
    Path(name): Path<String>,
    Query(shortcut): Query<Shortcut>,
) -> Result<Json<Value>, ApiError> {
    execute(&service, &shortcut.user_id, &name, shortcut.item.as_deref())
}

fn execute(
    service: &Shared,
    user: &str,
    name: &str,
    item: Option<&str>,
) -> Result<Json<Value>, ApiError> {
    if user.is_empty() || user.len() > MAX_USER_ID_BYTES {
        return Err(ApiError::bad_request(format!(
            "user_id must have from 1 to {MAX_USER_ID_BYTES} bytes"
        )));
    }
    const DAY_MS: u64 = 86_400_000;
    let mut accounts = lock(&service.accounts);
    let (account, is_new) = accounts.account(user);
    let result = match name.trim_start_matches('/') {
        "start" => json!({"text": "Welcome!", "new_user": is_new}),
        "balance" => json!({"text": format!("You have {} coins.", account.balance)}),
        "shop" => match item {
            None => {
                let shop: Vec<_> = SHOP
                    .iter()
                    .map(|(name, price)| json!({"item": name, "price": price}))
                    .collect();
                json!({"text": "What would you like?", "items": shop})
            }
            Some(item) => buy(account, item)?,
        },
        "daily" => daily(account, unix_ms() / DAY_MS),
        _ => {
            return Err(ApiError::bad_request(
                "unknown command; there are /start, /balance, /shop and /daily",
            ));
        }
    };
    let mut answer = json!({
        "ok": true, "user_id": user, "command": format!("/{}", name.trim_start_matches('/')),
        "balance": account.balance, "items_owned": account.items,
    });
    if let (Value::Object(answer), Value::Object(result)) = (&mut answer, result) {
        answer.extend(result);
    }
    Ok(Json(answer))
}

fn buy(account: &mut Account, item: &str) -> Result<Value, ApiError> {
    let Some((_, price)) = SHOP.iter().find(|(name, _)| *name == item) else {
        return Err(ApiError::new(StatusCode::NOT_FOUND, format!("the shop has no {item:?}")));
    };
    let Some(rest) = account.balance.checked_sub(*price) else {
        let message = format!("{item} costs {price} coins, you have {}", account.balance);
        return Err(ApiError::new(StatusCode::PAYMENT_REQUIRED, message));
    };
    account.balance = rest;
    account.items += 1;
    Ok(json!({"text": format!("One {item} for you."), "bought": item, "price": price}))
}

fn daily(account: &mut Account, today: u64) -> Value {
    if account.last_daily == Some(today) {
        return json!({"text": "Come back tomorrow.", "claimed": false});
    }
    account.last_daily = Some(today);
    account.balance += DAILY_REWARD;
    json!({"text": "Here is your daily reward.", "claimed": true, "reward": DAILY_REWARD})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_are_neither_made_nor_lost() {
        let mut account = Account { balance: 100, ..Account::default() };
        assert!(buy(&mut account, "hat").is_ok());
        assert_eq!((account.balance, account.items), (40, 1));
        assert!(buy(&mut account, "hat").is_err());
        assert!(buy(&mut account, "boat").is_err());
        assert_eq!((account.balance, account.items), (40, 1));
        assert_eq!(daily(&mut account, 7)["claimed"], true);
        assert_eq!(daily(&mut account, 7)["claimed"], false);
        assert_eq!(account.balance, 65);
        assert_eq!(daily(&mut account, 8)["claimed"], true);
    }

    #[test]
    fn accounts_are_bounded() {
        let mut accounts = Accounts::new(2);
        for user in ["a", "b", "a", "c"] {
            accounts.account(user);
        }
        assert_eq!(accounts.len(), 2);
        assert!(!accounts.account("c").1);
        assert!(accounts.account("a").1, "the oldest was forgotten");
    }
}
