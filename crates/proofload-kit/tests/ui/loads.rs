use proofload_kit::cached;

#[cached(ttl = 300, stale_while_revalidate = 5)]
fn background_without_task(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, hard_timeout = 5)]
fn timeout_without_task(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, detached)]
fn detached_without_task(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, hard_timeout = 5)]
async fn timeout_without_error(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cached(ttl = 300, hard_timeout = 5, timeout_error = "late".to_owned())]
async fn timeout_without_result(id: u64) -> u64 {
    id
}

#[cached(ttl = 300, stale_while_revalidate = 5, key(id))]
async fn exclusive(db: &mut Vec<u8>, id: u64) -> u64 {
    id
}

#[cached(ttl = 300, detached)]
async fn inner_borrow(names: Vec<&str>) -> usize {
    names.len()
}

struct Pool;

impl Pool {
    #[cached(ttl = 300, soft_timeout = 5, skip(self))]
    async fn not_clone(&self, id: u64) -> u64 {
        id
    }

    #[cached(ttl = 300, soft_timeout = 5, skip(self))]
    async fn exclusive(&mut self, id: u64) -> u64 {
        id
    }
}

#[cached(ttl = 300)]
async fn not_send(id: u64) -> u64 {
    let id = std::rc::Rc::new(id);
    std::future::ready(()).await;
    *id
}

fn main() {}
