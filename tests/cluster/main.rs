//! Several servers on one database are one chat. With real servers, which the tests start themselves.

#[path = "../common/cable.rs"]
mod cable;
#[path = "../durability/chance.rs"]
mod chance;
#[path = "../common/mod.rs"]
mod common;
mod deploy;
#[path = "../common/engines.rs"]
mod engines;
mod faults;
mod hub;
mod island;
mod latency;
mod line;
mod notify;
mod people;
mod player;
mod program;
mod restart;
mod sentinel;
mod torture;
mod webhooks;
