//! Which path leads where.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use super::state::Shared;
use super::traffic::conduct;
use super::{admin, analytics, auth, bot, catalogue, chat, messages, metrics, webhook, websocket};

/// The smallest body worth compressing, in bytes.
const MIN_COMPRESSED_BYTES: u16 = 500;

/// Method, path and purpose of every endpoint, for the catalogue.
pub(crate) const ENDPOINTS: [(&str, &str, &str); 27] = [
    ("GET", "/health", "whether the service is up"),
    ("POST", "/api/auth/login", "{address, signature} &rarr; {token, user}"),
    (
        "GET",
        "/api/messages?limit=50&amp;cursor=&hellip;",
        "a page of messages, newest first (token)",
    ),
    ("POST", "/api/messages", "{recipient, content, encrypted} (token)"),
    ("GET", "/api/groups", "groups (token)"),
    ("POST", "/api/chat", "{message or query, conversation_id?} &rarr; {response, cached}"),
    ("POST", "/bot/command", "{user_id, command, item?}: /start, /balance, /shop, /daily"),
    ("GET", "/bot/start?user_id=&hellip;", "the bot's welcome"),
    ("GET", "/bot/balance?user_id=&hellip;", "coins of a user"),
    ("GET", "/bot/shop?user_id=&hellip;&amp;item=hat", "the shop, or a purchase"),
    ("GET", "/bot/daily?user_id=&hellip;", "the daily reward"),
    ("GET", "/api/analytics/dashboard", "analytics dashboard"),
    ("GET", "/api/analytics/segments", "user segments"),
    ("GET", "/api/analytics/content?limit=20", "content performance"),
    ("GET", "/api/config", "configuration"),
    ("GET", "/api/city-metrics?city=NYC", "city metrics"),
    ("GET", "/api/equity-curve?limit=90", "equity curve"),
    ("GET", "/api/public-trades?limit=50", "public trades"),
    ("GET", "/api/health-status", "health status of the components"),
    ("GET", "/api/strategy-metrics", "strategy metrics"),
    ("POST", "/webhook/whatsapp", "Twilio's form post, signed &rarr; TwiML"),
    ("GET", "/ws?room=&hellip;", "WebSocket: an echo, or a room"),
    ("GET", "/metrics", "Prometheus metrics"),
    ("GET", "/admin/knobs", "latency, errors, capacity, stalls"),
    ("POST", "/admin/knobs", "change some of them"),
    ("GET", "/admin/cache", "hits, misses and size of the cache"),
    ("DELETE", "/admin/cache?prefix=chat:", "drop entries of the cache"),
];

/// The whole service.
pub(crate) fn router(service: Shared) -> Router {
    let admin = Router::new()
        .route("/admin/knobs", get(admin::knobs).post(admin::turn))
        .route("/admin/cache", get(admin::cache).delete(admin::invalidate))
        .route_layer(from_fn(admin::local_only));
    let open = Router::new()
        .route("/", get(catalogue::page))
        .route("/health", get(catalogue::health))
        .route("/metrics", get(metrics::show));
    conducted()
        .route_layer(from_fn_with_state(service.clone(), conduct))
        .merge(admin)
        .merge(open)
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(MIN_COMPRESSED_BYTES.into())))
        .layer(service.http_metrics.clone())
        .with_state(service)
}

/// The routes that the knobs act on.
fn conducted() -> Router<Shared> {
    Router::new()
        .route("/api/auth/login", post(auth::login))
        .route("/api/messages", get(messages::list).post(messages::send))
        .route("/api/groups", get(messages::groups))
        .route("/api/chat", post(chat::ask))
        .route("/bot/command", post(bot::command))
        .route("/bot/{command}", get(bot::shortcut))
        .route("/api/analytics/dashboard", get(analytics::dashboard))
        .route("/api/analytics/segments", get(analytics::segments))
        .route("/api/analytics/content", get(analytics::content))
        .route("/api/config", get(analytics::config))
        .route("/api/city-metrics", get(analytics::city_metrics))
        .route("/api/equity-curve", get(analytics::equity_curve))
        .route("/api/public-trades", get(analytics::public_trades))
        .route("/api/health-status", get(analytics::health_status))
        .route("/api/strategy-metrics", get(analytics::strategy_metrics))
        .route("/webhook/whatsapp", post(webhook::whatsapp))
        .route("/ws", get(websocket::upgrade))
}
