//! Servers of tests end with the process that started them, also when that one is killed.

use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;

use super::child::Child;
use super::until;
use crate::servers::process::find;
use crate::servers::redis_server::RedisServer;

#[test]
fn a_server_ends_with_a_process_that_is_killed() {
    let server = RedisServer::start();
    let mut child = Child::start(&server);
    let place = child.ask("server");
    let (port, folder) = place.split_once(' ').expect("a port and a folder");
    let port: u16 = port.parse().expect("a port");
    let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    assert!(answers());
    child.kill();
    if find("setpriv", []).is_some() {
        until("end of the server", || !answers());
    } else {
        // Where nothing arranges that, at least it can be asked to end.
        let port = port.to_string();
        let ended = Command::new("redis-cli").args(["-p", &port, "shutdown"]).status();
        assert!(ended.is_ok_and(|ended| ended.success()));
    } // What only a process that is not killed can do.
    std::fs::remove_dir_all(folder).expect("its folder");
}
