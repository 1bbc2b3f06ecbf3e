use proofload_kit::cache_invalidate;

#[cache_invalidate]
async fn nothing(id: u64) {}

#[cache_invalidate("")]
async fn empty(id: u64) {}

#[cache_invalidate("user_profile")]
async fn which(id: u64) {}

#[cache_invalidate("user:*:")]
async fn no_such_key(id: u64) {}

#[cache_invalidate("user:{user_di}")]
async fn typo_in_value(user_id: u64) {}

#[cache_invalidate("user:", befor = true)]
async fn typo(id: u64) {}

#[cache_invalidate("user:", before = "yes")]
async fn no_switch(id: u64) {}

#[cache_invalidate(key_prefix = "user")]
async fn word_of_the_other(id: u64) {}

#[cache_invalidate("user:", cache = USERS, registry = REGISTRY)]
async fn two_scopes(id: u64) {}

#[cache_invalidate(tag = 5)]
async fn no_text(id: u64) {}

// What `async_trait` makes of an `async fn`.
#[cache_invalidate("user:")]
fn future_of_one<'a>(id: u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
    Box::pin(async move { id })
}

fn main() {}
