use proofload_kit::{cache_invalidate, cached};

#[cached(ttl = 300)]
struct Users;

#[cached(ttl = 300)]
impl Users {}

trait Source {
    #[cached(ttl = 300)]
    async fn find(&self, id: u64) -> u64;
}

#[cached(ttl = 300)]
const fn constant(id: u64) -> u64 {
    id
}

#[cache_invalidate("user:")]
unsafe fn dangerous(id: u64) {}

#[cached(ttl = 300)]
extern "C" fn foreign(id: u64) -> u64 {
    id
}

fn main() {}
