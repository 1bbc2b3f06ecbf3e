use std::io;

use proofload_kit::cached;

#[cached(ttl = 300)]
async fn nothing(id: u64) {}

#[cached(ttl = 300)]
async fn unit(id: u64) -> () {}

#[cached(ttl = 300)]
async fn borrowed(name: &str) -> &str {
    name
}

#[cached(ttl = 300)]
async fn inner_borrow(name: &str) -> Option<Vec<&str>> {
    None
}

#[cached(ttl = 300)]
async fn opaque(id: u64) -> impl Iterator<Item = u64> {
    0..id
}

#[cached(ttl = 300)]
async fn error_of_one(id: u64) -> io::Result<u64> {
    Ok(id)
}

#[cached(ttl = 300)]
fn error_of_one_in_sync(id: u64) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    Ok(id)
}

struct Value;

#[cached(ttl = 300)]
async fn value_of_one(id: u64) -> Option<Value> {
    None
}

#[cached(ttl = 300)]
async fn value_of_one_thread(id: u64) -> std::rc::Rc<u64> {
    id.into()
}

// What `async_trait` makes of an `async fn`.
#[cached(ttl = 300)]
fn future_of_one<'a>(id: u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
    Box::pin(async move { id })
}

fn main() {}
