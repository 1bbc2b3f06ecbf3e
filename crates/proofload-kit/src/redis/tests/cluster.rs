//! A Redis that is the only node of a cluster.

use super::servers::redis_server::free_port;
use super::*;

fn node() -> RedisServer {
    let bus = free_port().to_string();
    RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus])
}

/// Until it serves the slots it has.
fn serves(node: &RedisServer) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !node.admin_text(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
        assert!(std::time::Instant::now() < deadline, "no cluster");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn one_node_with_all_slots_is_a_redis() {
    let server = node();
    server.admin(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    serves(&server);
    let (first, second) = (layer(&server), layer(&server));
    let ears = Ears::of(&second).await;
    for key in ["1", "2", "3"] {
        load(&first, key, "one", &["a", "b", key]).await;
    }
    assert_eq!(value(&second, "1").await.as_deref(), Some("one"));
    first.invalidate(&Target::Tag("1".to_owned())).await.expect("an answer");
    assert_eq!(value(&second, "1").await, None);
    first.put("1", stored("two", &["a", "b"])).await.expect("an answer");
    assert_eq!(value(&second, "1").await.as_deref(), Some("two"));
    assert_eq!(first.invalidate(&Target::Prefix(String::new())).await.ok(), Some(3));
    first.invalidate(&Target::Key("1".to_owned())).await.expect("an answer");
    ears.until("messages", |heard| heard.len() == 4).await;
}
