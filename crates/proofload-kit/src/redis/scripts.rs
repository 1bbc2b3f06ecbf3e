//! The scripts that make what several commands would do one step for Redis.

use std::sync::LazyLock;

use redis::Cmd;

/// A script and the hash Redis knows it by.
pub(super) struct Script {
    code: &'static str,
    hash: LazyLock<String>,
}

macro_rules! script {
    ($name:ident, $($file:literal),+) => {
        pub(super) static $name: Script = Script {
            code: concat!($(include_str!(concat!("lua/", $file))),+),
            hash: LazyLock::new(|| redis::Script::new($name.code).get_hash().to_owned()),
        };
    };
}

script!(CLAIM, "claim.lua");
script!(STORE, "carried.lua", "store.lua");
script!(PUT, "carried.lua", "put.lua");
script!(REMOVE, "remove.lua");
script!(TAG, "tag.lua");
script!(RENEW, "renew.lua");
script!(RELEASE, "release.lua");

/// Keys and arguments of one call of a script.
pub(super) struct Call<'a> {
    script: &'a Script,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

impl Script {
    pub(super) fn keys<const N: usize>(&self, keys: [String; N]) -> Call<'_> {
        Call { script: self, keys: keys.into(), arguments: Vec::new() }
    }
}

impl Call<'_> {
    pub(super) fn arg(mut self, argument: impl redis::ToRedisArgs) -> Self {
        argument.write_redis_args(&mut self.arguments);
        self
    }

    /// By its hash, as it is sent at first.
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// With its text, after Redis said that it does not know the hash: it was restarted, or its scripts were flushed.
    pub(super) fn by_text(&self) -> Cmd {
        self.command("EVAL", self.script.code)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        command
    }
}
