use std::time::Instant;

use proofload_kit::cached;

#[cached(ttl = 0)]
async fn zero(id: u64) -> u64 {
    id
}

#[cached(ttl = 0.5)]
async fn half(id: u64) -> u64 {
    id
}

#[cached(ttl = "5")]
async fn no_unit(id: u64) -> u64 {
    id
}

#[cached(ttl = "5 minutes")]
async fn other_unit(id: u64) -> u64 {
    id
}

#[cached(ttl = Instant::now())]
async fn no_length(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, jitter = 1.5)]
async fn too_much_jitter(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, max_entries = 0)]
async fn no_room(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, key_prefix = "user_profile:")]
async fn separator(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, key_prefix = "user_{id}")]
async fn value_in_prefix(id: u64) -> u64 {
    id
}

fn main() {}
