use proofload_kit::cached;

struct Pool;

#[cached(ttl = 300)]
async fn argument_without_text(pool: &Pool, id: u64) -> u64 {
    id
}

#[cached(ttl = 300, key(user_di))]
async fn typo(user_id: u64) -> u64 {
    user_id
}

#[cached(ttl = 300, skip(dp))]
async fn typo_in_skip(db: &Pool, id: u64) -> u64 {
    id
}

#[cached(ttl = 300, key = "{user}")]
async fn typo_in_template(users: u64) -> u64 {
    users
}

#[cached(ttl = 300, key = "{id")]
async fn open_brace(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, key = "{id:04}")]
async fn format(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, key(self.id))]
async fn no_self(id: u64) -> u64 {
    id
}

#[cached(ttl = 300)]
async fn pattern((id, name): (u64, String)) -> u64 {
    id
}

#[cached(cache = USERS)]
async fn one_key_for_all() -> u64 {
    5
}

impl Pool {
    #[cached(ttl = 300)]
    async fn whose(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
