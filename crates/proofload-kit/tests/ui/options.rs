use proofload_kit::cached;

#[cached(tll = 300)]
async fn typo(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, max_entires = 5)]
async fn longer_typo(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, capacity = 5)]
async fn word_of_another_crate(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, colour = "red")]
async fn nothing_like_it(id: u64) -> u64 {
    id
}

#[cached]
async fn no_ttl(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, ttl = 400)]
async fn twice(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, key)]
async fn key_of_what(id: u64) -> u64 {
    id
}

#[cached("user_profile", ttl = 300)]
async fn text_alone(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, key(id), skip(id))]
async fn key_and_skip(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, scoped, stale_while_revalidate = 5)]
async fn scoped_in_the_background(id: u64) -> u64 {
    id
}

#[cached(cache = USERS, max_entries = 5)]
async fn settings_of_a_given_cache(id: u64) -> u64 {
    id
}

fn main() {}
