//! Parlor is a chat server in one small executable: a thread for each client, no async runtime, one port.
//!
//! A room is a line of numbered messages; whoever knows the last number they saw misses nothing and sees nothing twice.
//!
//! # The flow
//! ```text
//! listener ─► handshake ─► client ─► recorder ─► dispatcher ─► registry ─► outbox
//!                 │                                                          │
//!                 └─► front ─► tiny_http (page, API)           flusher ◄─────┘ (when a socket is full)
//! ```
//! The modules stand in that order; `src/README.md` tells who may touch what.
//!
//! # Features
//! | feature | brings | on by default |
//! |---|---|---|
//! | `http` | the page and the API, on the same port | through `cli` |
//! | `sqlite` | messages kept in an SQLite database | through `cli` |
//! | `postgres` | messages kept in a PostgreSQL database, through the system's libpq | no |
//! | `mysql` | messages kept in a MySQL or MariaDB database, through the system's libmariadb | no |
//! | `tls` | `https://` and `wss://`, for the server and the client | through `cli` |
//! | `cli` | the executable | yes |
//!
//! Without any it is the line alone: WebSockets, rooms, numbers, messages in memory; and the client.
//!
//! # A server in a program of your own
//! ```
//! use parlor::Server;
//!
//! let server = Server::builder().listen("127.0.0.1:0".parse()?).memory().bind()?;
//! println!("open http://{}", server.address());
//! let handle = server.spawn()?; // runs on threads of its own; nothing prints, no signal is taken, no global is set
//!
//! handle.post("lobby", "Oven", "180 °C")?;
//! assert_eq!(handle.subscribe_since("lobby", 0)?.next().unwrap().body, "180 °C");
//! handle.shutdown();
//! handle.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Handle`] posts, listens, kicks and knows who is here; the hooks of [`Builder`] say who comes in and what is said;
//! [`Client`] is the other end, which resumes by itself after a break. [`Handle::client`] needs no socket.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
// What the page and the database alone need stays where it belongs, and is unused without them.
#![cfg_attr(not(all(feature = "http", feature = "sqlite")), allow(dead_code))]

mod actor;
mod addresses;
#[cfg(all(feature = "http", feature = "sqlite"))]
mod admin;
mod client;
#[cfg_attr(not(feature = "cluster"), path = "cluster/absent.rs")]
mod cluster;
mod config;
mod connection;
#[cfg(feature = "sqlite")]
mod control;
mod deflate;
mod dialer;
mod dispatcher;
mod doors;
mod duplex;
mod entrance;
mod error;
mod event;
mod fault;
mod flusher;
#[cfg(feature = "sqlite")]
mod folder;
mod frame;
mod front;
#[cfg(test)]
mod fuzz;
mod handle;
mod handshake;
mod head;
mod hooks;
#[cfg_attr(not(feature = "http"), path = "http/absent.rs")]
mod http;
mod identity;
mod limits;
mod line;
mod listener;
mod look;
mod mention;
mod message;
mod metrics;
mod mishap;
mod name;
mod order;
mod outbox;
mod pace;
#[cfg(feature = "http")]
mod passwords;
mod peer;
mod protocol;
mod proxy;
mod pulse;
mod query;
mod rate;
mod recorder;
mod refresh;
mod refusal;
mod registry;
mod roster;
mod sanctions;
mod search;
#[cfg_attr(not(feature = "tls"), path = "secure/absent.rs")]
mod secure;
mod server;
mod skeleton;
mod store;
mod subscription;
mod transport;
mod tries;
mod trouble;
mod watchdog;
#[cfg(feature = "http")]
mod webhooks;
mod words;

#[cfg(all(feature = "http", feature = "sqlite"))]
pub use admin::{Account, Admin, Backup, RoomDetails, Sanction, Token, TranscriptLine};
pub use config::{Builder, Join};
pub use dialer::{
    Client, ClientBuilder, DialError, Dialer, Direction, Event, Incoming, Problem, Response, Room, Start, WebSocket,
};
pub use duplex::Duplex;
pub use error::Error;
pub use handle::{Counts, Handle, Person};
pub use hooks::{Handshake, Post};
pub use limits::Capacity;
pub use message::{Message, Reaction};
#[cfg(feature = "tls")]
pub use secure::Certificate;
pub use server::Server;
pub use store::Role;
#[cfg(feature = "sql")]
pub use store::{CopiedTable, Progress, Synchronous, copy_database};
pub use subscription::Subscription;

/// What the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
