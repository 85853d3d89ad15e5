//! The server over real sockets: what the protocol promises, and what becomes of those who break its rules.

#[path = "../common/cable.rs"]
mod cable;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/engines.rs"]
mod engines;

mod accounts;
mod api;
mod attack_frames;
mod attack_handshake;
mod attack_web;
mod databases;
mod faults;
mod frames;
mod handshake;
mod http;
mod messages;
mod metrics;
mod order;
mod packed;
mod plain;
mod presence;
mod promises;
mod proxy;
mod resume;
mod rooms;
mod search;
mod shutdown;
mod slow;
mod strangers;
mod tls;
mod webhooks;
mod welcome;
