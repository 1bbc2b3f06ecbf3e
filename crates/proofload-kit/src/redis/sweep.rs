//! Removes whatever begins with something: `SCAN` and `UNLINK` in batches, so that Redis serves others
//! in between. Never `KEYS`, never `FLUSHDB`.

use redis::Value;

use super::failure::Failure;
use super::handle::Inner;
use super::keys;

/// How many slots of its table Redis looks at for one `SCAN`.
const SCAN_COUNT: usize = 512;
/// Keys in one `UNLINK`.
const UNLINK_KEYS: usize = 256;

/// Removes the keys that begin with `prefix` and then `literal`, and of which `chosen` likes what
/// follows `prefix`; tells how many there were.
///
/// Whatever is there when it begins is gone when it ends.
pub(super) async fn sweep(
    inner: &Inner,
    prefix: &str,
    literal: &str,
    chosen: &(dyn Fn(&str) -> bool + Sync),
) -> Result<u64, Failure> {
    let pattern = keys::begins_with(&format!("{prefix}{literal}"));
    let mut cursor = b"0".to_vec();
    let mut removed = 0;
    let mut connections = inner.connections();
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCAN_COUNT);
        let (next, mut found) = batch(inner.call(&scan).await?)?;
        found.retain(|key| {
            let rest = str::from_utf8(key).ok().and_then(|key| key.strip_prefix(prefix));
            rest.is_some_and(chosen)
        });
        for keys in found.chunks(UNLINK_KEYS) {
            let mut unlink = redis::cmd("UNLINK");
            unlink.arg(keys);
            match inner.call(&unlink).await? {
                Value::Int(count) => removed += u64::try_from(count).unwrap_or(0),
                other => return Err(Failure::unexpected(&other)),
            }
        }
        if connections != inner.connections() {
            // It may be another Redis by now, or the same after a restart: its cursors are others.
            connections = inner.connections();
            cursor = b"0".to_vec();
        } else if next == b"0" {
            return Ok(removed);
        } else {
            cursor = next;
        }
    }
}

/// The answer to `SCAN`: where to go on, and keys.
fn batch(answer: Value) -> Result<(Vec<u8>, Vec<Vec<u8>>), Failure> {
    let Value::Array(mut parts) = answer else { return Err(Failure::unexpected(&answer)) };
    let (Some(Value::Array(keys)), Some(Value::BulkString(cursor)), true) =
        (parts.pop(), parts.pop(), parts.is_empty())
    else {
        return Err(Failure::unexpected(&Value::Array(parts)));
    };
    let keys = keys.into_iter().filter_map(|key| match key {
        Value::BulkString(key) => Some(key),
        _ => None,
    });
    Ok((cursor, keys.collect()))
}
